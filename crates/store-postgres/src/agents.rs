//! Agents and their live targets.

mod change;
mod insert;
mod read;

use async_trait::async_trait;
use nora_agents::Agent;
use nora_agents::ports::{AgentStore, AgentUpdate, InsertAgentError, StoredAgent, UpdateAgentError};
use nora_kernel::audit::AuditLine;
use nora_kernel::{AgentId, Idempotency, Page, PageRequest, Reach, Timestamp, Unavailable, Workspace};

use crate::store::PostgresStore;

/// The unique index of live targets' gateways.
const GATEWAY_UNIQUE: &str = "sync_targets_live_gateway_key";

#[async_trait]
impl AgentStore for PostgresStore {
    async fn insert(
        &self,
        agent: &StoredAgent,
        line: &AuditLine,
        idempotency: Option<&Idempotency>,
    ) -> Result<(), InsertAgentError> {
        insert::insert(self, agent, line, idempotency).await
    }

    async fn find(&self, reach: &Reach, id: AgentId) -> Result<Option<StoredAgent>, Unavailable> {
        Ok(read::find(self, reach, id).await?)
    }

    async fn list(&self, workspace: &Workspace, page: PageRequest) -> Result<Page<Agent>, Unavailable> {
        Ok(read::list(self, workspace, page).await?)
    }

    async fn update(&self, update: &AgentUpdate, line: &AuditLine) -> Result<(), UpdateAgentError> {
        change::update(self, update, line).await
    }

    async fn delete(
        &self,
        reach: &Reach,
        id: AgentId,
        purge_until: Timestamp,
        line: &AuditLine,
    ) -> Result<bool, Unavailable> {
        Ok(change::delete(self, reach, id, purge_until, line).await?)
    }

    async fn request_sync(&self, reach: &Reach, id: AgentId, line: &AuditLine) -> Result<bool, Unavailable> {
        Ok(change::request_sync(self, reach, id, line).await?)
    }
}
