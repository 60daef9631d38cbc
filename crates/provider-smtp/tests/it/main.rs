//! The provider against real mail servers, in the clear and over TLS.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod answers;
mod conformance;
mod login;
mod server;
