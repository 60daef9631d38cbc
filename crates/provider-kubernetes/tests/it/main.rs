//! The provider against API servers that answer from a script.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod conformance;
mod refusals;
mod token;
