#![doc = include_str!("../README.md")]

use std::sync::Arc;

use async_trait::async_trait;
use nora_provider_sdk::{Connection, Context, Manifest, ManifestError, Outcome, Provider};

/// Every provider of this crate.
///
/// # Errors
///
/// The manifest is refused; the tests of this crate parse it.
pub fn all() -> Result<Vec<Arc<dyn Provider>>, ManifestError> {
    let manifest = Manifest::parse("manifest.toml", include_str!("../manifest.toml"))?;
    Ok(vec![Arc::new(InCode { manifest })])
}

#[derive(Debug)]
struct InCode {
    manifest: Manifest,
}

#[async_trait]
impl Provider for InCode {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    async fn test(&self, _connection: &Connection<'_>, _context: &dyn Context) -> Outcome {
        Outcome::unverifiable("FILL IN: ask the service something only a valid credential gets.")
    }
}
