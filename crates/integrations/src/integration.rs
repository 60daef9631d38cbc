//! What an integration is.

use nora_catalog::Catalog;
use nora_kernel::{AgentId, FieldName, IntegrationId, Label, ProviderId, SealContext, Sealed, Timestamp, Workspace};
use serde_json::{Map, Value};

/// The table an integration's secrets are sealed for.
pub const INTEGRATION_TABLE: &str = "integrations";
/// The column an integration's secrets are sealed for.
pub const INTEGRATION_COLUMN: &str = "secrets";

/// Whether a connection can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It is pushed and counts as connected.
    Active,
    /// Its secrets do not open; new ones end that.
    NeedsReconnect,
    /// Its provider is not enabled in this installation.
    Disabled,
}

impl Status {
    /// The status on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::NeedsReconnect => "needs_reconnect",
            Self::Disabled => "disabled",
        }
    }
}

/// One connection of an agent to a provider, without its secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Integration {
    /// Its id.
    pub id: IntegrationId,
    /// Whose it is.
    pub agent: AgentId,
    /// To which provider.
    pub provider: ProviderId,
    /// What tells it from the agent's other connections to this provider.
    pub label: Label,
    /// The public configuration.
    pub config: Map<String, Value>,
    /// The fields it holds secrets for.
    pub secret_fields: Vec<FieldName>,
    /// Whether its secrets opened when last tried.
    pub readable: bool,
    /// When it was connected.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl Integration {
    /// Whether it can be used with this catalog.
    pub fn status(&self, catalog: &Catalog) -> Status {
        let enabled = catalog.entry(self.provider.as_str()).is_some_and(|entry| entry.is_enabled());
        match (enabled, self.readable) {
            (false, _) => Status::Disabled,
            (true, false) => Status::NeedsReconnect,
            (true, true) => Status::Active,
        }
    }
}

/// An integration with its sealed secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredIntegration {
    /// The integration.
    pub integration: Integration,
    /// Its workspace.
    pub workspace: Workspace,
    /// The sealed secrets; `None` where the provider takes none and none were given.
    pub secrets: Option<Sealed>,
    /// Counts the values `secrets` has had.
    pub secrets_version: u64,
    /// The agent's desired generation since this integration last changed.
    pub generation: u64,
}

impl StoredIntegration {
    /// Where its secrets belong.
    pub fn context(&self) -> SealContext {
        SealContext {
            table: INTEGRATION_TABLE,
            column: INTEGRATION_COLUMN,
            workspace: self.workspace.clone(),
            agent: self.integration.agent,
            row: self.integration.id.as_uuid(),
            version: self.secrets_version,
        }
    }
}
