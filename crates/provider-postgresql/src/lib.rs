#![doc = include_str!("../README.md")]

mod classify;
mod login;
mod tls;

use std::sync::Arc;

use nora_provider_sdk::{ManifestError, Provider, coded};

/// The provider.
///
/// # Errors
///
/// The manifest is refused; the tests of this crate parse it.
pub fn provider() -> Result<Arc<dyn Provider>, ManifestError> {
    coded::<login::Login>("postgresql.toml", include_str!("../manifest.toml"))
}
