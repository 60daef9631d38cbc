//! Acme's providers.

mod vault;

use std::sync::Arc;

use nora_provider_sdk::{Declarative, ManifestError, Provider};

pub use vault::AcmeVault;

/// Every provider of Acme's.
pub fn all() -> Result<Vec<Arc<dyn Provider>>, ManifestError> {
    let crm = Declarative::parse("acme-crm.toml", include_str!("../manifests/acme-crm.toml"))?;
    Ok(vec![Arc::new(crm), Arc::new(AcmeVault::new()?)])
}
