//! Changing a connection.

use std::time::Duration;

use nora_catalog::{Entry, Parsed, Violation};
use nora_kernel::audit::Action;
use nora_kernel::{AgentId, Caller, FieldName, IntegrationId, SealError, Secret, SecretMap, Unavailable, WrappedKey};
use nora_provider_sdk::manifest::Field;
use serde_json::{Map, Value};

use crate::ports::{IntegrationUpdate, ResealedSecrets, UpdateError};
use crate::{Connections, Integration, SecretsError, StoredIntegration};

/// Two changes never bear the same time, because that is how the store tells them apart.
const TICK: Duration = Duration::from_micros(1);

/// A request to change a connection.
#[derive(Debug)]
pub struct ChangeIntegration {
    /// The agent.
    pub agent: AgentId,
    /// Which connection.
    pub id: IntegrationId,
    /// A new token.
    pub token: Option<Secret>,
    /// A merge patch (RFC 7396) for the configuration: absent keeps, a value replaces, null removes.
    pub config: Option<Map<String, Value>>,
}

/// Why a connection was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// There is no such integration for this caller.
    #[error("there is no such integration")]
    NotFound,
    /// Its provider is not in this installation's catalog, or not enabled.
    #[error("the provider is not enabled in this installation")]
    ProviderDisabled,
    /// Something in the result would be wrong.
    #[error("the configuration is not valid for this provider")]
    Invalid(Vec<Violation>),
    /// The credentials would be sent elsewhere, and not all of them were sent again.
    #[error("changing where credentials are sent needs every secret again")]
    SecretRequired(Vec<Violation>),
    /// It was changed by others at the same time.
    #[error("the integration is being changed by others")]
    Conflict,
    /// The secrets could not be sealed.
    #[error("the secrets could not be sealed")]
    Seal(#[from] SealError),
    /// The vault could not answer.
    #[error("the kept secrets cannot be opened now")]
    Open(#[source] SecretsError),
    /// The store could not answer.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// A merge patch taken apart: what becomes of the public part and of each secret.
struct Merged {
    config: Map<String, Value>,
    /// The secrets the request says nothing about.
    unnamed: Vec<FieldName>,
}

impl Connections {
    /// Changes a connection. What changed is pushed like a new one.
    pub async fn change(&self, caller: &Caller, request: ChangeIntegration) -> Result<Integration, ChangeError> {
        let ChangeIntegration { agent, id, token, config } = request;
        let found = self.store.find(&caller.reach(), agent, id).await?;
        let (stored, key) = found.ok_or(ChangeError::NotFound)?;
        let entry = self.catalog.entry(stored.integration.provider.as_str()).filter(|entry| entry.is_enabled());
        let entry = entry.ok_or(ChangeError::ProviderDisabled)?;

        let present = &stored.integration;
        let Merged { config, unnamed } = merge(entry, present, token.as_ref(), config.unwrap_or_default());
        // Secrets that do not open any more do not count as present: they have to be sent again.
        let kept: &[FieldName] = if present.readable { &unnamed } else { &[] };
        let kept_names: Vec<&str> = kept.iter().map(FieldName::as_str).collect();
        let parsed = entry.parse(token, config, &kept_names).map_err(ChangeError::Invalid)?;
        let stays = parsed.secrets.is_empty() && unnamed.len() == present.secret_fields.len();
        check_destination(entry, present, &parsed, if stays { &unnamed } else { kept })?;

        let secrets = if stays { None } else { Some(self.reseal(&stored, &key, parsed.secrets, kept).await?) };
        let mut integration = present.clone();
        integration.config = parsed.config;
        integration.updated_at = self.clock.now().max(present.updated_at.after(TICK));
        if let Some(resealed) = &secrets {
            integration.secret_fields.clone_from(&resealed.fields);
            integration.readable = true;
        }
        let update = IntegrationUpdate {
            agent,
            id,
            config: integration.config.clone(),
            secrets,
            from_version: stored.secrets_version,
            from_updated_at: stored.integration.updated_at,
            updated_at: integration.updated_at,
        };
        let line = self.lines().change(caller, &stored.workspace, Action::IntegrationUpdated, agent, id);
        match self.store.update(&update, &line).await {
            Ok(()) => Ok(integration),
            Err(UpdateError::NotFound) => Err(ChangeError::NotFound),
            Err(UpdateError::Conflict) => Err(ChangeError::Conflict),
            Err(UpdateError::Unavailable(source)) => Err(source.into()),
        }
    }

    /// Seals the new secrets together with the kept ones.
    async fn reseal(
        &self,
        stored: &StoredIntegration,
        key: &WrappedKey,
        new: SecretMap,
        kept: &[FieldName],
    ) -> Result<ResealedSecrets, ChangeError> {
        let mut secrets = new;
        if !kept.is_empty() {
            let mut old = stored.open(self.vault.as_ref(), key).await.map_err(ChangeError::Open)?;
            for field in kept {
                if let Some(secret) = old.remove(field.as_str()) {
                    secrets.insert(field.clone(), secret);
                }
            }
        }
        let version = stored.secrets_version.saturating_add(1);
        let mut context = stored.context();
        context.version = version;
        let sealed = self.seal(key, &context, &secrets).await?;
        Ok(ResealedSecrets { sealed, fields: secrets.fields().cloned().collect(), version })
    }
}

/// Applies a merge patch.
fn merge(entry: &Entry, present: &Integration, token: Option<&Secret>, patch: Map<String, Value>) -> Merged {
    let token_field = entry.manifest().token().map(|field| &field.name);
    let replaced = |field: &&FieldName| {
        let token_replaced = Some(*field) == token_field && token.is_some_and(|token| !token.is_empty());
        token_replaced || patch.contains_key(field.as_str())
    };
    let unnamed = present.secret_fields.iter().filter(|field| !replaced(field)).cloned().collect();
    let mut config = Value::Object(present.config.clone());
    merge_patch(&mut config, patch);
    let config = match config {
        Value::Object(config) => config,
        _ => Map::new(),
    };
    Merged { config, unnamed }
}

/// RFC 7396, for a patch that is an object.
fn merge_patch(target: &mut Value, patch: Map<String, Value>) {
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(fields) = target else { return };
    for (name, value) in patch {
        match value {
            Value::Null => {
                fields.remove(&name);
            }
            Value::Object(inner) => merge_patch(fields.entry(name).or_insert(Value::Null), inner),
            value => {
                fields.insert(name, value);
            }
        }
    }
}

/// A credential is bound to where it is sent: no kept secret follows a change of destination.
fn check_destination(
    entry: &Entry,
    present: &Integration,
    parsed: &Parsed,
    kept: &[FieldName],
) -> Result<(), ChangeError> {
    let is_moved = |field: &Field| {
        let name = field.name.as_str();
        // A secret place that is named at all may be another one; nobody looks.
        let secret = parsed.secrets.contains(name)
            || (present.secret_fields.contains(&field.name) && !kept.contains(&field.name));
        if field.secret { secret } else { present.config.get(name) != parsed.config.get(name) }
    };
    let leads_somewhere = |field: &&Field| field.destination || field.kind.is_destination();
    if kept.is_empty() || !entry.manifest().fields().iter().filter(leads_somewhere).any(is_moved) {
        return Ok(());
    }
    let token = entry.manifest().token().map(|field| &field.name);
    let required = kept.iter().map(|field| {
        let pointer = if Some(field) == token { "/token".to_owned() } else { format!("/config/{field}") };
        Violation { pointer, detail: "is required again when the destination changes".to_owned() }
    });
    Err(ChangeError::SecretRequired(required.collect()))
}

#[cfg(test)]
mod unit {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(target: Value, patch: Value, expected: &Value) {
        let (mut target, Value::Object(patch)) = (target, patch) else { panic!("the patch is an object") };
        merge_patch(&mut target, patch);
        assert_eq!(&target, expected);
    }

    #[test]
    fn merging_follows_the_examples_of_rfc_7396() {
        check(json!({"a": "b"}), json!({"a": "c"}), &json!({"a": "c"}));
        check(json!({"a": "b"}), json!({"b": "c"}), &json!({"a": "b", "b": "c"}));
        check(json!({"a": "b", "b": "c"}), json!({"a": null}), &json!({"b": "c"}));
        check(json!({"a": ["b"]}), json!({"a": "c"}), &json!({"a": "c"}));
        check(json!({"a": {"b": "c"}}), json!({"a": {"b": "d", "c": null}}), &json!({"a": {"b": "d"}}));
        check(json!({}), json!({"a": {"bb": {"ccc": null}}}), &json!({"a": {"bb": {}}}));
    }
}
