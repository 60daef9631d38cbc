//! The use cases of this crate over a store that counts what it is asked.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod authenticator;
mod creating;
mod first_key;
mod names;
mod revoking;
mod support;
mod tokens;
mod usage;
