//! The provider against a server that answers from a script, in the clear and behind TLS.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod answers;
mod conformance;
mod frames;
mod login;
mod server;
mod tls;
