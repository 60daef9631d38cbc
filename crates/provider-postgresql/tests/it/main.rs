//! The provider against a real PostgreSQL, in the clear and behind TLS.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod answers;
mod cluster;
mod conformance;
mod login;
mod tls;
