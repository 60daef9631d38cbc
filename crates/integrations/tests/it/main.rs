//! Connections and the reconciler over stores in memory, a runtime and providers that do as they are told.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod assembling;
mod candidates;
mod changing;
mod checking;
mod conflicts;
mod connecting;
mod destinations;
mod failing;
mod leases;
mod limits;
mod model;
mod pushing;
mod reconnecting;
mod removing;
mod retiring;
mod simulation;
mod store_faults;
mod superseded;
mod support;
mod sync_view;
mod testing;
mod verdicts;
