//! The use cases of this crate over a store in memory and a vault that hides nothing.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod changing;
mod creating;
mod deleting;
mod gateways;
mod names;
mod refusals;
mod rekeying;
mod support;
