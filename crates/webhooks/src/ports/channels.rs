//! Where channels are kept.

use async_trait::async_trait;
use nora_agents::RuntimeKind;
use nora_kernel::audit::AuditLine;
use nora_kernel::{
    AgentId, ChannelId, Idempotency, IdempotencyTaken, Reach, Timestamp, Unavailable, Workspace, WrappedKey,
};
use serde_json::{Map, Value};

use crate::{Channel, ChannelName, NewSecret, StoredChannel, Verification};

/// What making a channel must know of its agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelOwner {
    /// The agent's workspace.
    pub workspace: Workspace,
    /// The agent's data key.
    pub key: WrappedKey,
    /// How its runtime is spoken to.
    pub kind: RuntimeKind,
    /// Whether the runtime has a URL of its own.
    pub has_url: bool,
}

/// Why a channel was not added.
#[derive(Debug, thiserror::Error)]
pub enum InsertChannelError {
    /// The agent is gone.
    #[error("there is no such agent")]
    AgentNotFound,
    /// A channel with this id exists, whoever's it is, or did, and what it left is not deleted yet.
    #[error("a channel with this id exists")]
    Exists,
    /// The request was answered before.
    #[error(transparent)]
    IdempotencyTaken(#[from] IdempotencyTaken),
    /// The store could not answer.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// What becomes of a channel's secrets when it changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretsUpdate {
    /// Nothing.
    Keep,
    /// These, and no others, are the channel's secrets from now on. Those whose ids it had already keep their value;
    /// only when they end may differ.
    Replace(Vec<NewSecret>),
}

/// What is written when a channel changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelUpdate {
    /// Whose it is.
    pub agent: AgentId,
    /// Which one.
    pub id: ChannelId,
    /// The revision the change was made from. The channel's next one is one above it.
    pub from_revision: u64,
    /// Its name from now on.
    pub name: ChannelName,
    /// The public configuration from now on.
    pub config: Map<String, Value>,
    /// What it demands from now on.
    pub verification: Verification,
    /// Until when a handshake may bring the secret.
    pub enrol_until: Option<Timestamp>,
    /// Whether it takes anything from now on.
    pub enabled: bool,
    /// Whether its delivery waits from now on.
    pub paused: bool,
    /// What becomes of its secrets.
    pub secrets: SecretsUpdate,
    /// When.
    pub updated_at: Timestamp,
}

/// Why a channel was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeChannelError {
    /// It is gone.
    #[error("there is no such channel")]
    NotFound,
    /// It was changed since it was read; read it again.
    #[error("the channel was changed meanwhile")]
    Conflict,
    /// The request was answered before.
    #[error(transparent)]
    IdempotencyTaken(#[from] IdempotencyTaken),
    /// The store could not answer.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Whether a handshake brought the secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enrolment {
    /// It did, and the channel is keyed from now on.
    Done,
    /// Another one did, the time is over, or there is no such channel. Nothing was changed.
    Refused,
}

/// Keeps every agent's channels and their secrets.
///
/// A channel of an agent outside the caller's reach, or of a deleted agent, is absent for every method. Every change
/// raises the channel's revision by one, in one transaction with its audit line.
#[async_trait]
pub trait ChannelStore: Send + Sync {
    /// What a new channel must know of an agent within `reach`.
    async fn owner(&self, reach: &Reach, agent: AgentId) -> Result<Option<ChannelOwner>, Unavailable>;

    /// Adds a channel of revision 1, its secrets, the audit line and the remembered answer. Nothing is written if any of it fails.
    async fn insert(
        &self,
        channel: &StoredChannel,
        line: &AuditLine,
        idempotency: Option<&Idempotency>,
    ) -> Result<(), InsertChannelError>;

    /// An agent's channels without their secrets, newest first; `None` if there is no such agent within `reach`.
    async fn list(&self, reach: &Reach, agent: AgentId) -> Result<Option<Vec<Channel>>, Unavailable>;

    /// One channel with its sealed secrets and its agent's key.
    async fn find(
        &self,
        reach: &Reach,
        agent: AgentId,
        id: ChannelId,
    ) -> Result<Option<(StoredChannel, WrappedKey)>, Unavailable>;

    /// Changes a channel whose revision still is the one the change was made from.
    ///
    /// A channel that is not paused any more has its waiting deliveries due at once.
    async fn update(
        &self,
        update: &ChannelUpdate,
        line: &AuditLine,
        idempotency: Option<&Idempotency>,
    ) -> Result<(), ChangeChannelError>;

    /// Removes a channel; says whether there was one. Its secrets are destroyed.
    ///
    /// Its events and deliveries are absent from then on; their rows may go later, in small batches, by
    /// [`EventStore::prune`](super::EventStore::prune).
    async fn remove(&self, reach: &Reach, agent: AgentId, id: ChannelId, line: &AuditLine)
    -> Result<bool, Unavailable>;

    /// The agent and workspace of a channel, whoever asks, and its revision. One lookup by key: it runs for requests
    /// nobody has authenticated.
    async fn locate(&self, id: ChannelId) -> Result<Option<(AgentId, Workspace, u64)>, Unavailable>;

    /// A channel with its sealed secrets and its agent's key, whoever asks, for a use of the secrets: `line` is
    /// written in the same transaction if the channel is there and has secrets.
    async fn load_to_open(
        &self,
        id: ChannelId,
        line: &AuditLine,
    ) -> Result<Option<(StoredChannel, WrappedKey)>, Unavailable>;

    /// Adds the secret a handshake brought, if the channel waits for one at `now`: it is enabled, its verification is
    /// `handshake`, and `enrol_until` has not come.
    ///
    /// Exactly one of any number of handshakes is [`Done`](Enrolment::Done); the channel's verification is `secret`
    /// from then on, and `enrol_until` is `None`.
    async fn enrol(
        &self,
        id: ChannelId,
        secret: &NewSecret,
        now: Timestamp,
        line: &AuditLine,
    ) -> Result<Enrolment, Unavailable>;
}
