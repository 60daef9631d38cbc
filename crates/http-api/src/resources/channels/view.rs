//! What a channel looks like.

use nora_webhooks::{Channel, PublicUrl, SecretInfo};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::wire::{Time, VerificationWord};

/// A public URL of an agent, for one third party, without its secrets.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Channel)]
pub(super) struct ChannelView<'a> {
    /// Its id.
    #[schema(example = "d5e6f7a8-b9c0-1234-defa-123456789012")]
    id: Uuid,
    /// Whose it is.
    #[schema(example = "a1b2c3d4-e5f6-7890-abcd-ef1234567890")]
    agent_id: Uuid,
    /// Whose webhooks it takes.
    #[schema(example = "github")]
    r#type: &'a str,
    /// What it is called.
    #[schema(example = "Pushes")]
    name: &'a str,
    /// The configuration without its secrets.
    #[schema(value_type = Object)]
    config: &'a Map<String, Value>,
    /// What it demands of what is posted to it.
    verification: VerificationWord,
    /// Whether it takes anything.
    enabled: bool,
    /// Whether its delivery waits.
    paused: bool,
    /// What to give to the third party.
    #[schema(example = "http://localhost:8080/api/webhooks/d5e6f7a8-b9c0-1234-defa-123456789012")]
    webhook_url: String,
    /// When it was made.
    created_at: Time,
    /// When it was last changed.
    updated_at: Time,
}

impl<'a> ChannelView<'a> {
    pub(super) fn of(channel: &'a Channel, url: &PublicUrl) -> Self {
        Self {
            id: channel.id.as_uuid(),
            agent_id: channel.agent.as_uuid(),
            r#type: channel.kind.as_str(),
            name: channel.name.as_str(),
            config: &channel.config,
            verification: VerificationWord(channel.verification.as_str()),
            enabled: channel.enabled,
            paused: channel.paused,
            webhook_url: url.of_channel(channel.id),
            created_at: Time(channel.created_at),
            updated_at: Time(channel.updated_at),
        }
    }
}

/// The secrets that verify now.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChannelSecrets)]
pub(super) struct SecretsView {
    /// Newest first.
    secrets: Vec<SecretView>,
}

/// A secret, of which nothing but this is ever shown.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChannelSecret)]
struct SecretView {
    /// Its id.
    id: Uuid,
    /// When it was added.
    created_at: Time,
    /// Until when it verifies; null for the current one.
    expires_at: Option<Time>,
}

impl SecretsView {
    pub(super) fn of(secrets: &[SecretInfo]) -> Self {
        let secrets = secrets.iter().map(|secret| SecretView {
            id: secret.id.as_uuid(),
            created_at: Time(secret.created_at),
            expires_at: secret.expires_at.map(Time),
        });
        Self { secrets: secrets.collect() }
    }
}
