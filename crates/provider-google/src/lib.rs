#![doc = include_str!("../README.md")]

mod exchange;
mod provider;
mod question;
mod service_account;
mod services;

use std::sync::Arc;

use nora_provider_sdk::{ManifestError, Provider};

use provider::Google;

/// Every provider of this crate.
///
/// # Errors
///
/// A manifest is refused; the tests of this crate parse them.
pub fn providers() -> Result<Vec<Arc<dyn Provider>>, ManifestError> {
    services::ALL.iter().map(provider).collect()
}

fn provider(service: &'static services::Service) -> Result<Arc<dyn Provider>, ManifestError> {
    Ok(Arc::new(Google::new(service)?))
}
