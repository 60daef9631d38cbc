#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![doc = "Tests of the verifier with tokens that another implementation (Python's `PyJWT` and `cryptography`) signed."]

mod claims;
mod key_cache;
mod key_set;
mod secret;
mod support;
