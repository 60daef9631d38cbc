//! The provider against a real Redis, in the clear and behind TLS.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod answers;
mod conformance;
mod login;
mod server;
mod tls;
