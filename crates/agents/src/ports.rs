//! What this crate needs from the outside.

use async_trait::async_trait;
use nora_kernel::audit::AuditLine;
use nora_kernel::{
    AgentId, BoxError, Idempotency, IdempotencyTaken, Page, PageRequest, Reach, Secret, Timestamp, Unavailable,
    Workspace, WrappedKey,
};

use crate::{Agent, AgentName, DeviceIdentity, NewTarget, Target};

/// An agent with what only this service may see of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAgent {
    /// The agent.
    pub agent: Agent,
    /// Its data key.
    pub key: WrappedKey,
    /// Its live target.
    pub target: Target,
    /// Counts the agent's changes, so that two at once cannot overwrite each other.
    pub revision: u64,
}

/// What is written when an agent changes.
#[derive(Debug, Clone)]
pub struct AgentUpdate {
    /// The agent.
    pub id: AgentId,
    /// The revision the change was made from.
    pub revision: u64,
    /// Its name from now on.
    pub name: AgentName,
    /// When.
    pub updated_at: Timestamp,
    /// What becomes of its target.
    pub target: TargetUpdate,
}

/// What becomes of an agent's target when the agent changes.
#[derive(Debug, Clone)]
pub enum TargetUpdate {
    /// Nothing.
    Keep,
    /// The same place is opened by other secrets from now on (id and addresses are the live target's).
    Rekey(Target),
    /// The agent lives elsewhere from now on. The old target is retired.
    Move {
        /// The new live target.
        to: NewTarget,
        /// When the old target is given up if it has not confirmed.
        purge_until: Timestamp,
    },
}

/// Why an agent was not added.
#[derive(Debug, thiserror::Error)]
pub enum InsertAgentError {
    /// An agent with this id exists, in whatever workspace, or is being purged.
    #[error("an agent with this id exists")]
    AgentExists,
    /// Another agent's live target has the same gateway origin.
    #[error("the gateway belongs to another agent")]
    GatewayTaken,
    /// The request was answered before.
    #[error(transparent)]
    IdempotencyTaken(#[from] IdempotencyTaken),
    /// The store could not answer.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Why an agent was not changed.
#[derive(Debug, thiserror::Error)]
pub enum UpdateAgentError {
    /// The agent is gone.
    #[error("there is no such agent")]
    NotFound,
    /// It was changed since it was read; read it again.
    #[error("the agent was changed meanwhile")]
    Conflict,
    /// Another agent's live target has the same gateway origin.
    #[error("the gateway belongs to another agent")]
    GatewayTaken,
    /// The store could not answer.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Keeps agents and their targets. A deleted agent is absent for every method but the reconciler's.
#[async_trait]
pub trait AgentStore: Send + Sync {
    /// Adds an agent, its key and its live target (desired generation 1, applied 0, due at once), the audit line and
    /// the remembered answer, in one transaction.
    async fn insert(
        &self,
        agent: &StoredAgent,
        line: &AuditLine,
        idempotency: Option<&Idempotency>,
    ) -> Result<(), InsertAgentError>;

    /// The agent, if it lies within `reach`.
    async fn find(&self, reach: &Reach, id: AgentId) -> Result<Option<StoredAgent>, Unavailable>;

    /// A workspace's agents, newest first.
    async fn list(&self, workspace: &Workspace, page: PageRequest) -> Result<Page<Agent>, Unavailable>;

    /// Changes an agent, in one transaction with the audit line.
    ///
    /// Keeping the target pushes nothing. A new key or place raises the desired generation, ends a permanent failure
    /// and is due at once. A retired target wants a generation above all it was pushed before, and the new live
    /// target one above that.
    async fn update(&self, update: &AgentUpdate, line: &AuditLine) -> Result<(), UpdateAgentError>;

    /// Deletes an agent, in one transaction with the audit line; says whether there was one within `reach`.
    ///
    /// Its live target is retired until `purge_until`. The agent's rows and key stay, unseen, until the last of its
    /// targets is gone.
    async fn delete(
        &self,
        reach: &Reach,
        id: AgentId,
        purge_until: Timestamp,
        line: &AuditLine,
    ) -> Result<bool, Unavailable>;

    /// Raises the desired generation of an agent's live target, ends a permanent failure and makes it due at once, in
    /// one transaction with the audit line; says whether there was one within `reach`.
    async fn request_sync(&self, reach: &Reach, id: AgentId, line: &AuditLine) -> Result<bool, Unavailable>;
}

/// A device key for a gateway.
#[derive(Debug)]
pub struct DeviceKey {
    /// The Ed25519 seed, in lower-case hexadecimal.
    pub seed: Secret,
    /// What an operator pairs.
    pub public: DeviceIdentity,
}

/// Makes device keys for gateways.
pub trait DeviceKeys: Send + Sync {
    /// A new random key.
    ///
    /// # Errors
    ///
    /// The source of randomness failed.
    fn generate(&self) -> Result<DeviceKey, BoxError>;

    /// The key with this seed: 64 hexadecimal digits. `None` if it is none.
    fn read(&self, seed: &Secret) -> Option<DeviceKey>;
}

/// Keeps what shows that the keyring is the right one, and lets agents' keys be wrapped anew.
#[async_trait]
pub trait KeyCustody: Send + Sync {
    /// The check value of this installation's keyring, if one was stored.
    async fn check_value(&self) -> Result<Option<Vec<u8>>, Unavailable>;

    /// Stores the check value unless there is one; returns the one that counts.
    async fn set_check_value(&self, value: &[u8]) -> Result<Vec<u8>, Unavailable>;

    /// Replaces the check value, after the key it was sealed under has given way to another.
    async fn replace_check_value(&self, value: &[u8]) -> Result<(), Unavailable>;

    /// At most `limit` agents' keys, deleted agents' too, in the order of agent ids, behind `after`.
    async fn agent_keys(
        &self,
        after: Option<AgentId>,
        limit: u16,
    ) -> Result<Vec<(AgentId, Workspace, WrappedKey)>, Unavailable>;

    /// Replaces an agent's key if it still is `old`; says whether it was.
    async fn replace_agent_key(&self, agent: AgentId, old: &WrappedKey, new: &WrappedKey) -> Result<bool, Unavailable>;
}
