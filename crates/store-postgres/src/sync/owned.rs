//! What is owned in a runtime, as JSON.

use nora_integrations::ports::{Claim, Held, OwnedVariable, Role};
use serde::{Deserialize, Serialize};

use super::claim::{held, of_lease};
use crate::error::StoreError;
use crate::rows::{Number, parse};
use crate::store::PostgresStore;

const COLUMN: &str = "sync_targets.owned";

/// `$4` is what the target was when it was claimed.
const RECORD: &str = "UPDATE sync_targets SET owned = $3 \
                      WHERE id = $1 AND fence = $2 AND lease_until IS NOT NULL AND role = $4 \
                      RETURNING 1::bigint AS value";

#[derive(Serialize, Deserialize)]
struct Stored<'a> {
    name: std::borrow::Cow<'a, str>,
    digest: Option<String>,
    changed_at_ms: Option<i64>,
}

fn text(owned: &[OwnedVariable]) -> Result<String, StoreError> {
    let stored = owned.iter().map(|variable| Stored {
        name: variable.name.as_str().into(),
        digest: variable.digest.map(hex::encode),
        changed_at_ms: variable.changed_at_ms,
    });
    serde_json::to_string(&stored.collect::<Vec<_>>()).map_err(|_| StoreError::Corrupt(COLUMN))
}

pub(super) fn read(text: &str) -> Result<Vec<OwnedVariable>, StoreError> {
    let stored: Vec<Stored<'_>> = serde_json::from_str(text).map_err(|_| StoreError::Corrupt(COLUMN))?;
    let owned = stored.into_iter().map(|variable| {
        let digest = variable.digest.map(|text| digest(&text)).transpose()?;
        Ok(OwnedVariable { name: parse(COLUMN, &variable.name)?, digest, changed_at_ms: variable.changed_at_ms })
    });
    owned.collect()
}

fn digest(text: &str) -> Result<[u8; 32], StoreError> {
    let bytes = hex::decode(text).map_err(|_| StoreError::Corrupt(COLUMN))?;
    bytes.try_into().map_err(|_| StoreError::Corrupt(COLUMN))
}

pub(super) async fn record(store: &PostgresStore, claim: &Claim, owned: &[OwnedVariable]) -> Result<Held, StoreError> {
    let role = match claim.role {
        Role::Live => "live",
        Role::Retired { .. } => "retired",
    };
    let record = of_lease(RECORD, claim).text(text(owned)?).text(role);
    Ok(held(&store.write::<Number>(record).await?))
}
