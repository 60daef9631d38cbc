#![doc = include_str!("../README.md")]

use std::sync::Arc;

use async_trait::async_trait;
use nora_provider_sdk::{Attempt, Connection, Context, ManifestError, Outcome, Provider, Unready, coded};

/// Every provider of this crate.
///
/// # Errors
///
/// The manifest is refused; the tests of this crate parse it.
pub fn all() -> Result<Vec<Arc<dyn Provider>>, ManifestError> {
    Ok(vec![coded::<Login>("manifest.toml", include_str!("../manifest.toml"))?])
}

/// FILL IN: what is read of a connection's values.
struct Login;

#[async_trait]
impl Attempt for Login {
    fn read(_connection: &Connection<'_>) -> Result<Self, Unready> {
        Ok(Self)
    }

    async fn run(self, _connection: &Connection<'_>, _context: &dyn Context) -> Result<Outcome, Box<Outcome>> {
        Ok(Outcome::unverifiable("FILL IN: ask the service something only a valid credential gets."))
    }
}
