#![doc = include_str!("../README.md")]

mod authenticator;
mod base62;
mod key;
mod key_text;
mod keys;
pub mod ports;
mod trail;

pub use authenticator::{AuthenticationError, Authenticator, Principal};
pub use key::{ApiKey, InvalidKeyName, KeyName, StoredKey};
pub use key_text::{KeyText, NotAKey, PublicId};
pub use keys::{BootstrapError, CreateKey, CreateKeyError, CreatedKey, Keys, RevokeKeyError};
pub use trail::Trail;
