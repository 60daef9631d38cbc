#![doc = include_str!("../README.md")]

mod attempt;
mod exchange;
mod question;
mod service_account;
mod services;

use std::sync::Arc;

use nora_provider_sdk::{ManifestError, Provider, coded};

/// Every provider of this crate.
///
/// # Errors
///
/// A manifest is refused; the tests of this crate parse them.
pub fn providers() -> Result<Vec<Arc<dyn Provider>>, ManifestError> {
    services::ALL.iter().map(|service| coded::<attempt::Google>(service.file, service.manifest)).collect()
}
