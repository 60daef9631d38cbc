//! What an integration looks like.

use nora_catalog::Catalog;
use nora_integrations::Integration;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::wire::{StatusWord, Time};

/// One connection of an agent to a provider, without its secrets.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Integration)]
pub(super) struct IntegrationView<'a> {
    /// Its id.
    #[schema(example = "c3d4e5f6-a7b8-9012-cdef-234567890123")]
    id: Uuid,
    /// Whose it is.
    #[schema(example = "a1b2c3d4-e5f6-7890-abcd-ef1234567890")]
    agent_id: Uuid,
    /// To which provider.
    #[schema(example = "slack")]
    provider: &'a str,
    /// The catalog entry: the same as `provider`.
    #[schema(example = "slack")]
    catalog_id: &'a str,
    /// What tells it from the agent's other connections to this provider.
    #[schema(example = "default")]
    label: &'a str,
    /// The configuration without its secrets.
    #[schema(value_type = Object, example = json!({ "channel": "#alerts" }))]
    config: &'a Map<String, Value>,
    /// Whether it can be used.
    status: StatusWord,
    /// When it was connected.
    created_at: Time,
    /// When it was last changed.
    updated_at: Time,
}

impl<'a> IntegrationView<'a> {
    pub(super) fn of(integration: &'a Integration, catalog: &Catalog) -> Self {
        let Integration { id, agent, provider, label, config, created_at, updated_at, .. } = integration;
        Self {
            id: id.as_uuid(),
            agent_id: agent.as_uuid(),
            provider: provider.as_str(),
            catalog_id: provider.as_str(),
            label: label.as_str(),
            config,
            status: StatusWord(integration.status(catalog).as_str()),
            created_at: Time(*created_at),
            updated_at: Time(*updated_at),
        }
    }
}
