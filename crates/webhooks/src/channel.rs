//! What a channel is.

use std::fmt;
use std::str::FromStr;

use nora_kernel::{
    AgentId, ChannelId, ChannelSecretId, InvalidName, ProviderId, SealContext, Sealed, Timestamp, Workspace, is_hidden,
};
use serde_json::{Map, Value};

/// The table a channel's secrets are sealed for.
pub const SECRET_TABLE: &str = "channel_secrets";
/// The column a channel's secrets are sealed for.
pub const SECRET_COLUMN: &str = "secret";

/// Whose webhooks a channel takes: a provider's id, `standard-webhooks`, or `webhook`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChannelType(ProviderId);

impl ChannelType {
    /// The type as text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Display for ChannelType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for ChannelType {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        text.parse().map(Self)
    }
}

/// What a person calls a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelName(String);

/// The name is empty, longer than 200 characters, or holds characters nobody sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a channel's name must be 1 to 200 characters, none of them a control or invisible character")]
pub struct InvalidChannelName;

impl ChannelName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl ChannelName {
    /// The name of a channel nobody has named: its type's.
    pub(crate) fn of_type(name: &str) -> Self {
        let shown: String = name.chars().filter(|character| !is_hidden(*character)).take(200).collect();
        Self(shown)
    }
}

impl fmt::Display for ChannelName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for ChannelName {
    type Err = InvalidChannelName;

    fn from_str(text: &str) -> Result<Self, InvalidChannelName> {
        let shown = !text.chars().any(is_hidden);
        let length = text.chars().count();
        if (1..=200).contains(&length) && shown && !text.trim().is_empty() {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidChannelName)
        }
    }
}

/// What a channel demands of what is posted to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verification {
    /// A valid signature or token under one of its secrets.
    Secret,
    /// Nothing: whoever made the channel said so.
    None,
    /// A handshake first, which brings the secret; [`Secret`](Self::Secret) from then on.
    Handshake,
}

impl Verification {
    /// The name on the wire and in the databases.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Secret => "secret",
            Self::None => "none",
            Self::Handshake => "handshake",
        }
    }

    /// The value with this name.
    pub fn from_wire(text: &str) -> Option<Self> {
        [Self::Secret, Self::None, Self::Handshake].into_iter().find(|value| value.as_str() == text)
    }
}

/// A public URL of an agent, for one third party, without its secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// Its id, which is in the URL. It is no secret.
    pub id: ChannelId,
    /// Whose it is.
    pub agent: AgentId,
    /// Whose webhooks it takes.
    pub kind: ChannelType,
    /// What a person calls it.
    pub name: ChannelName,
    /// The public configuration.
    pub config: Map<String, Value>,
    /// What it demands of what is posted to it.
    pub verification: Verification,
    /// Whether it takes anything. A disabled channel answers like one that does not exist.
    pub enabled: bool,
    /// Whether delivery waits. A paused channel still keeps what comes in.
    pub paused: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// What a secret of a channel is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretRole {
    /// What is posted is verified with it: a shared secret or a public key.
    Signing,
    /// A handshake must name it.
    VerifyToken,
}

impl SecretRole {
    /// The name in the databases.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Signing => "signing",
            Self::VerifyToken => "verify_token",
        }
    }

    /// The role with this name.
    pub fn from_wire(text: &str) -> Option<Self> {
        [Self::Signing, Self::VerifyToken].into_iter().find(|role| role.as_str() == text)
    }
}

/// A secret of a channel as it is kept. A row is never rewritten: a new secret is a new row with a new id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredSecret {
    /// Its id.
    pub id: ChannelSecretId,
    /// What it is for.
    pub role: SecretRole,
    /// The sealed value.
    pub sealed: Sealed,
    /// When it was added.
    pub created_at: Timestamp,
    /// From when on it is worth nothing; `None` while it is the current one.
    pub expires_at: Option<Timestamp>,
}

/// A secret to be kept.
pub type NewSecret = StoredSecret;

impl StoredSecret {
    /// Where the value of the secret `id` belongs.
    pub fn context(workspace: &Workspace, agent: AgentId, id: ChannelSecretId) -> SealContext {
        SealContext {
            table: SECRET_TABLE,
            column: SECRET_COLUMN,
            workspace: workspace.clone(),
            agent,
            row: id.as_uuid(),
            version: 1,
        }
    }

    /// Whether it is still good at `now`.
    pub fn is_valid(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }
}

/// A channel with what only this service may see of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredChannel {
    /// The channel.
    pub channel: Channel,
    /// Its agent's workspace.
    pub workspace: Workspace,
    /// Counts everything that changes about the channel, its secrets included.
    pub revision: u64,
    /// Until when a handshake may bring the secret; `None` where none may.
    pub enrol_until: Option<Timestamp>,
    /// Its secrets, newest first. Expired ones may be among them.
    pub secrets: Vec<StoredSecret>,
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn a_name_is_something_a_person_can_read() {
        assert!("Pushes of the main repository".parse::<ChannelName>().is_ok());
        for refused in ["", "  ", "a\nb", "a\u{202e}b", &"x".repeat(201)] {
            assert_eq!(refused.parse::<ChannelName>(), Err(InvalidChannelName), "{refused:?}");
        }
    }

    #[test]
    fn names_in_the_databases_read_back() {
        for value in [Verification::Secret, Verification::None, Verification::Handshake] {
            assert_eq!(Verification::from_wire(value.as_str()), Some(value));
        }
        for role in [SecretRole::Signing, SecretRole::VerifyToken] {
            assert_eq!(SecretRole::from_wire(role.as_str()), Some(role));
        }
    }
}
