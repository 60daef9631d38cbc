#![doc = include_str!("../README.md")]

mod claims;
mod jwks;
mod key_cache;
mod provider;
mod verifier;

pub use claims::Expected;
pub use key_cache::JwksSource;
pub use verifier::{RingTokenVerifier, SetupError};
