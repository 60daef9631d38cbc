//! The body that connects an agent to a provider.

use nora_integrations::Connect;
use nora_kernel::{AgentId, Label, Secret};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::request::{FromMembers, Members};

/// A connection to be made.
#[derive(Debug, ToSchema)]
#[schema(as = Connect, example = json!({
    "provider": "slack",
    "token": "xoxb-your-slack-bot-token",
    "config": { "channel": "#alerts" }
}))]
pub(super) struct ConnectBody {
    /// The id of a catalog entry.
    #[schema(value_type = String)]
    provider: Option<String>,
    /// The provider's first credential. Required for the auth types `token` and `apikey`.
    #[schema(value_type = Option<String>, write_only)]
    token: Option<Secret>,
    /// Everything else, as the entry's `config_schema` has it; secret members are kept in the vault.
    #[schema(value_type = Option<Object>)]
    config: Option<Map<String, Value>>,
    /// What tells this connection from others of the agent to the same provider; `default` if it is left out.
    #[schema(value_type = Option<String>, pattern = "^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$", example = "default")]
    label: Option<Label>,
}

impl FromMembers for ConnectBody {
    fn from_members(members: &mut Members) -> Option<Self> {
        Some(Self {
            provider: members.text("provider"),
            token: members.secret("token"),
            config: members.object("config"),
            label: members.parsed("label"),
        })
    }
}

impl ConnectBody {
    /// The request, without protection against being repeated.
    pub(super) fn into_request(self, agent: AgentId) -> Connect {
        let Self { provider, token, config, label } = self;
        let label = label.unwrap_or_else(Label::default_label);
        Connect { agent, provider, token, config: config.unwrap_or_default(), label, idempotency: None }
    }
}
