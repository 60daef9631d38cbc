//! The client against the reference runtime, and against peers that are none.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod deployment;
mod device_key;
mod failures;
mod health;
mod push;
mod support;
mod wire;
