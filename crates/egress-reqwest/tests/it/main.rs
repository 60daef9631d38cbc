//! Contexts against peers on loopback.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod budget;
mod http;
mod log;
mod streams;
mod support;
