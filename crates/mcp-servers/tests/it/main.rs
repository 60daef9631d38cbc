//! The use cases and the redeployer over stores in memory, with a runtime that does as it is told.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod redeploying;
mod support;
