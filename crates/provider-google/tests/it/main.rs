//! The providers against scripted services.
#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test fails by panicking")]

mod assertion;
mod conformance;
mod forms;
mod secrets;
mod support;
