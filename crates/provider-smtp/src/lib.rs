#![doc = include_str!("../README.md")]

mod classify;
mod extensions;
mod login;
mod security;
mod session;

use std::sync::Arc;

use nora_provider_sdk::{ManifestError, Provider, coded};

/// The provider.
///
/// # Errors
///
/// The manifest is refused; the tests of this crate parse it.
pub fn provider() -> Result<Arc<dyn Provider>, ManifestError> {
    coded::<login::Login>("email.toml", include_str!("../manifest.toml"))
}
