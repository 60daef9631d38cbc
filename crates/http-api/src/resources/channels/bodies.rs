//! The bodies that make and change channels.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use nora_kernel::{AgentId, Secret};
use nora_webhooks::{AddSecret, ChangeChannel, ChannelName, CreateChannel, DEFAULT_OVERLAP, Verification};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::request::{FromMembers, Members};
use crate::wire::VerificationWord;

/// The longest time old secrets may go on verifying.
const LONGEST_OVERLAP: Duration = Duration::from_hours(24 * 30);

/// A channel to be made.
#[derive(Debug, ToSchema)]
#[schema(as = CreateChannel, example = json!({
    "type": "github",
    "name": "Pushes",
    "config": { "signing_secret": "a secret of at least 24 random bytes" }
}))]
pub(super) struct CreateChannelBody {
    /// Whose webhooks it takes: one of the channel types.
    #[schema(value_type = String)]
    r#type: Option<String>,
    /// What it is called; like its type if it is left out.
    #[schema(value_type = Option<String>, max_length = 200)]
    name: Option<ChannelName>,
    /// As the type's `config_schema` has it; secret members are kept in the vault.
    #[schema(value_type = Option<Object>)]
    config: Option<Map<String, Value>>,
    /// What it demands of what is posted to it; `secret` if it is left out.
    #[schema(value_type = Option<VerificationWord>)]
    verification: Option<Verification>,
}

/// What becomes of a channel. What is left out stays.
#[derive(Debug, ToSchema)]
#[schema(as = ChangeChannel, example = json!({ "paused": true }))]
pub(super) struct ChangeChannelBody {
    /// What it is called.
    #[schema(value_type = Option<String>, max_length = 200)]
    name: Option<ChannelName>,
    /// A merge patch (RFC 7396).
    #[schema(value_type = Option<Object>)]
    config: Option<Map<String, Value>>,
    /// What it demands of what is posted to it.
    #[schema(value_type = Option<VerificationWord>)]
    verification: Option<Verification>,
    /// Whether it takes anything.
    enabled: Option<bool>,
    /// Whether its delivery waits.
    paused: Option<bool>,
}

/// A secret to be added.
#[derive(Debug, ToSchema)]
#[schema(as = AddChannelSecret, example = json!({ "signing_secret": "another secret of 24 random bytes", "expires_in": 3600 }))]
pub(super) struct AddSecretBody {
    /// The secret, or the public key where the channel verifies with one.
    #[schema(value_type = String, write_only)]
    signing_secret: Secret,
    /// For how many more seconds the old ones verify: 86400 if it is left out, 30 days at most.
    #[schema(value_type = Option<u32>, maximum = 2_592_000, example = 86400)]
    expires_in: Option<Duration>,
}

/// A channel's verification as a request spells it.
struct Spelled(Verification);

/// The text names no verification.
#[derive(Debug)]
struct Misspelled;

impl fmt::Display for Misspelled {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("must be secret, none or handshake")
    }
}

impl FromStr for Spelled {
    type Err = Misspelled;

    fn from_str(text: &str) -> Result<Self, Misspelled> {
        Verification::from_wire(text).map(Self).ok_or(Misspelled)
    }
}

fn verification(members: &mut Members) -> Option<Verification> {
    members.parsed("verification").map(|Spelled(verification)| verification)
}

impl FromMembers for CreateChannelBody {
    fn from_members(members: &mut Members) -> Option<Self> {
        Some(Self {
            r#type: members.text("type"),
            name: members.parsed("name"),
            config: members.object("config"),
            verification: verification(members),
        })
    }
}

impl FromMembers for ChangeChannelBody {
    fn from_members(members: &mut Members) -> Option<Self> {
        Some(Self {
            name: members.parsed("name"),
            config: members.object("config"),
            verification: verification(members),
            enabled: members.flag("enabled"),
            paused: members.flag("paused"),
        })
    }
}

impl FromMembers for AddSecretBody {
    fn from_members(members: &mut Members) -> Option<Self> {
        let signing_secret = members.required("signing_secret", Members::secret);
        let expires_in = members.seconds("expires_in", LONGEST_OVERLAP);
        Some(Self { signing_secret: signing_secret?, expires_in })
    }
}

impl CreateChannelBody {
    /// The request, without protection against being repeated.
    pub(super) fn into_request(self, agent: AgentId) -> CreateChannel {
        let Self { r#type: kind, name, config, verification } = self;
        let config = config.unwrap_or_default();
        CreateChannel { agent, id: None, kind, name, config, verification, idempotency: None }
    }
}

impl ChangeChannelBody {
    pub(super) fn into_request(self) -> ChangeChannel {
        let Self { name, config, verification, enabled, paused } = self;
        ChangeChannel { name, config, verification, enabled, paused }
    }
}

impl AddSecretBody {
    /// The request, without protection against being repeated.
    pub(super) fn into_request(self) -> AddSecret {
        let Self { signing_secret, expires_in } = self;
        AddSecret { secret: signing_secret, overlap: expires_in.unwrap_or(DEFAULT_OVERLAP), idempotency: None }
    }
}
