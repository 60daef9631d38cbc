//! The guard against real sockets on this machine and against names whose answers change.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod client;
mod dial;
mod literals;
mod names;
mod support;
mod tls;
