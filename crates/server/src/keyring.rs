//! The keyring at start: made, loaded, and shown to be the right one before anything is written.

use std::sync::Arc;

use nora_agents::ports::KeyCustody;
use nora_kernel::{Clock, Entropy};
use nora_vault_ring::{Keyring, LoadError, RingVault};

use crate::StartError;
use crate::settings::{Database, Settings};

/// Loads the keyring; `None` if it is missing and the store is the embedded one, which may be new. With Postgres a
/// missing one is an error, because the keyring of the other servers is what is missing.
pub(crate) fn load(settings: &Settings) -> Result<Option<Keyring>, StartError> {
    let path = &settings.vault_keyring;
    match Keyring::load(path) {
        Err(LoadError::Missing { .. }) if matches!(settings.database, Database::Sqlite(_)) => Ok(None),
        Err(LoadError::Missing { .. }) => Err(StartError::new(format!(
            "there is no keyring at {}: copy it from another server (NORA_VAULT_KEYRING), or make the first one with `nora vault init`",
            path.display()
        ))),
        loaded => {
            let refused = |error| StartError::because("the keyring (NORA_VAULT_KEYRING) is refused", error);
            loaded.map(Some).map_err(refused)
        }
    }
}

/// Makes the keyring of a new installation, and says so. A database that was written with another one keeps its
/// secrets from it for ever, so there a new one would only hide what happened.
pub(crate) async fn make(
    settings: &Settings,
    custody: &Arc<dyn KeyCustody>,
    entropy: &dyn Entropy,
    clock: &dyn Clock,
) -> Result<Keyring, StartError> {
    let path = &settings.vault_keyring;
    if custody.check_value().await.map_err(unreadable)?.is_some() {
        return Err(StartError::new(format!(
            "there is no keyring at {}, and this database was written with one: put it back (NORA_VAULT_KEYRING)",
            path.display()
        )));
    }
    let keyring = Keyring::generate(path, entropy, clock.now())
        .map_err(|error| StartError::because("no keyring could be made", error))?;
    tracing::info!(path = %path.display(), "made a new keyring; without it the stored credentials cannot be read, so keep a copy elsewhere");
    Ok(keyring)
}

/// Compares the keyring with the check value of the database, which is stored at the first start.
pub(crate) async fn verify(vault: &RingVault, custody: &Arc<dyn KeyCustody>) -> Result<(), StartError> {
    let stored = if let Some(stored) = custody.check_value().await.map_err(unreadable)? {
        stored
    } else {
        let value = vault.seal_check().map_err(|error| StartError::because("no check value was made", error))?;
        custody.set_check_value(&value).await.map_err(unreadable)?
    };
    vault.verify_check(&stored).map_err(|error| {
        StartError::because(
            "the keyring (NORA_VAULT_KEYRING) is not the one this database was written with; use that one",
            error,
        )
    })
}

fn unreadable(error: nora_kernel::Unavailable) -> StartError {
    StartError::because("the keyring's check value cannot be read from the database", error)
}
