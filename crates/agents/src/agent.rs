//! What an agent is.

use std::fmt;
use std::str::FromStr;

use nora_kernel::address::Endpoint;
use nora_kernel::{AgentId, Cursor, Timestamp, Workspace};

/// What a person calls an agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentName(String);

/// The name is empty, longer than 200 characters, or holds control characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an agent's name must be 1 to 200 characters, none of them a control character")]
pub struct InvalidAgentName;

impl AgentName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AgentName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for AgentName {
    type Err = InvalidAgentName;

    fn from_str(text: &str) -> Result<Self, InvalidAgentName> {
        let length = text.chars().count();
        let shown = !text.chars().any(char::is_control) && !text.trim().is_empty();
        if (1..=200).contains(&length) && shown { Ok(Self(text.to_owned())) } else { Err(InvalidAgentName) }
    }
}

/// How a runtime is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RuntimeKind {
    /// This project's own HTTP contract.
    Nora,
    /// The unauthenticated agent-runtime of older deployments.
    Sidecar,
    /// An `OpenClaw` gateway, with or without a sidecar beside it.
    Openclaw,
    /// A Hermes management API.
    Hermes,
}

/// The text names no kind of runtime.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("runtime.kind must be nora, sidecar, openclaw or hermes")]
pub struct UnknownRuntimeKind;

impl RuntimeKind {
    const ALL: [Self; 4] = [Self::Nora, Self::Sidecar, Self::Openclaw, Self::Hermes];

    /// The kind's name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Nora => "nora",
            Self::Sidecar => "sidecar",
            Self::Openclaw => "openclaw",
            Self::Hermes => "hermes",
        }
    }

    /// Whether a runtime of this kind cannot be reached without a URL of its own.
    pub const fn needs_url(self) -> bool {
        !matches!(self, Self::Openclaw)
    }

    /// Whether a runtime of this kind cannot be spoken to without a token.
    pub const fn needs_token(self) -> bool {
        matches!(self, Self::Nora)
    }
}

impl fmt::Display for RuntimeKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for RuntimeKind {
    type Err = UnknownRuntimeKind;

    fn from_str(text: &str) -> Result<Self, UnknownRuntimeKind> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or(UnknownRuntimeKind)
    }
}

/// Where an agent lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Runtime {
    /// How it is spoken to.
    pub kind: RuntimeKind,
    /// Where it listens; an `openclaw` runtime may have a gateway alone.
    pub url: Option<Endpoint>,
}

/// An `OpenClaw` gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gateway {
    /// Where it listens (`ws` or `wss`).
    pub url: Endpoint,
    /// The id of the device key this service signs with: what an operator pairs.
    pub device_id: String,
}

/// An agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agent {
    /// Its id: ours, or the platform's.
    pub id: AgentId,
    /// The tenant it belongs to.
    pub workspace: Workspace,
    /// What a person calls it.
    pub name: AgentName,
    /// Where it lives.
    pub runtime: Runtime,
    /// Its gateway, if it has one.
    pub gateway: Option<Gateway>,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl Agent {
    /// The agent's place in a list.
    pub fn cursor(&self) -> Cursor {
        Cursor { at: self.created_at, id: self.id.as_uuid() }
    }
}
