//! Where integrations are kept.

use async_trait::async_trait;
use nora_kernel::audit::AuditLine;
use nora_kernel::{
    AgentId, EnvName, Idempotency, IdempotencyTaken, IntegrationId, Reach, Sealed, Timestamp, Unavailable, Workspace,
    WrappedKey,
};
use serde_json::{Map, Value};

use crate::{Integration, StoredIntegration};

/// An integration to be stored. Its generation is the store's to say.
#[derive(Debug, Clone)]
pub struct NewIntegration {
    /// The integration.
    pub integration: Integration,
    /// Its agent's workspace.
    pub workspace: Workspace,
    /// Its sealed secrets, version 1.
    pub secrets: Option<Sealed>,
}

/// What is written when an integration changes.
#[derive(Debug, Clone)]
pub struct IntegrationUpdate {
    /// Whose it is.
    pub agent: AgentId,
    /// Which one.
    pub id: IntegrationId,
    /// The public configuration from now on.
    pub config: Map<String, Value>,
    /// New secrets with the fields they hold and the version they were sealed for; `None` leaves them as they are.
    pub secrets: Option<ResealedSecrets>,
    /// The secrets version the change was made from.
    pub from_version: u64,
    /// When the record the change was made from was last changed.
    pub from_updated_at: Timestamp,
    /// When.
    pub updated_at: Timestamp,
}

/// Secrets that replace older ones.
#[derive(Debug, Clone)]
pub struct ResealedSecrets {
    /// The sealed secrets; `None` if there are none left.
    pub sealed: Option<Sealed>,
    /// The fields they hold.
    pub fields: Vec<nora_kernel::FieldName>,
    /// The version they were sealed for: one above `from_version`.
    pub version: u64,
}

/// Why an integration was not added.
#[derive(Debug, thiserror::Error)]
pub enum InsertError {
    /// The agent is gone.
    #[error("there is no such agent")]
    AgentNotFound,
    /// The agent has this provider under this label already.
    #[error("the agent has this provider under this label already")]
    Exists(IntegrationId),
    /// The request was answered before.
    #[error(transparent)]
    IdempotencyTaken(#[from] IdempotencyTaken),
    /// The store could not answer.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Why an integration was not changed.
#[derive(Debug, thiserror::Error)]
pub enum UpdateError {
    /// It is gone.
    #[error("there is no such integration")]
    NotFound,
    /// It was changed since it was read; read it again.
    #[error("the integration was changed meanwhile")]
    Conflict,
    /// The store could not answer.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// What [`IntegrationStore::remove`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// It was there and is gone.
    Removed,
    /// There was none.
    Absent,
}

/// Keeps every agent's integrations.
///
/// An integration of an agent outside the caller's reach, or of a deleted agent, is absent. Every change raises the
/// desired generation of the agent's live target by one and makes it due at once (unless it is in a permanent
/// failure), in the same transaction as the change and its audit line.
#[async_trait]
pub trait IntegrationStore: Send + Sync {
    /// The workspace and data key of an agent within `reach`.
    async fn agent_key(&self, reach: &Reach, agent: AgentId) -> Result<Option<(Workspace, WrappedKey)>, Unavailable>;

    /// Adds an integration, its audit line and the remembered answer. Nothing is written if any of it fails.
    async fn insert(
        &self,
        integration: &NewIntegration,
        line: &AuditLine,
        idempotency: Option<&Idempotency>,
    ) -> Result<(), InsertError>;

    /// An agent's integrations, newest first; `None` if there is no such agent within `reach`.
    async fn list(&self, reach: &Reach, agent: AgentId) -> Result<Option<Vec<Integration>>, Unavailable>;

    /// One integration with its sealed secrets and its agent's key.
    async fn find(
        &self,
        reach: &Reach,
        agent: AgentId,
        id: IntegrationId,
    ) -> Result<Option<(StoredIntegration, WrappedKey)>, Unavailable>;

    /// Like [`find`](Self::find), for a use of the credentials: `line` is written in the same transaction if the
    /// integration is there and has secrets.
    async fn find_to_open(
        &self,
        reach: &Reach,
        agent: AgentId,
        id: IntegrationId,
        line: &AuditLine,
    ) -> Result<Option<(StoredIntegration, WrappedKey)>, Unavailable>;

    /// Changes an integration. New secrets make it readable again.
    async fn update(&self, update: &IntegrationUpdate, line: &AuditLine) -> Result<(), UpdateError>;

    /// Removes an integration. What it set (`names`) is kept as a removal until long after the purge is confirmed.
    ///
    /// Removing it twice is not an error.
    async fn remove(
        &self,
        reach: &Reach,
        agent: AgentId,
        id: IntegrationId,
        names: &[EnvName],
        line: &AuditLine,
    ) -> Result<Removal, Unavailable>;
}
