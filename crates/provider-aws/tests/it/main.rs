//! The providers against scripted services, and against a store that verifies signatures.
#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test fails by panicking")]

mod addresses;
mod conformance;
mod forms;
mod store;
mod support;
mod wire;
