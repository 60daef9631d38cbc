//! Integrations.

mod read;
mod row;
mod write;

use async_trait::async_trait;
use nora_integrations::ports::{
    InsertError, IntegrationStore, IntegrationUpdate, NewIntegration, Removal, UpdateError,
};
use nora_integrations::{Integration, StoredIntegration};
use nora_kernel::audit::AuditLine;
use nora_kernel::{AgentId, EnvName, Idempotency, IntegrationId, Reach, Unavailable, Workspace, WrappedKey};

pub(crate) use row::{IntegrationRow, integration_columns};

use crate::store::PostgresStore;

#[async_trait]
impl IntegrationStore for PostgresStore {
    async fn agent_key(&self, reach: &Reach, agent: AgentId) -> Result<Option<(Workspace, WrappedKey)>, Unavailable> {
        Ok(read::agent_key(self, reach, agent).await?)
    }

    async fn insert(
        &self,
        integration: &NewIntegration,
        line: &AuditLine,
        idempotency: Option<&Idempotency>,
    ) -> Result<(), InsertError> {
        write::insert(self, integration, line, idempotency).await
    }

    async fn list(&self, reach: &Reach, agent: AgentId) -> Result<Option<Vec<Integration>>, Unavailable> {
        Ok(read::list(self, reach, agent).await?)
    }

    async fn find(
        &self,
        reach: &Reach,
        agent: AgentId,
        id: IntegrationId,
    ) -> Result<Option<(StoredIntegration, WrappedKey)>, Unavailable> {
        Ok(read::find(self, reach, agent, id).await?)
    }

    async fn find_to_open(
        &self,
        reach: &Reach,
        agent: AgentId,
        id: IntegrationId,
        line: &AuditLine,
    ) -> Result<Option<(StoredIntegration, WrappedKey)>, Unavailable> {
        Ok(read::find_to_open(self, reach, agent, id, line).await?)
    }

    async fn update(&self, update: &IntegrationUpdate, line: &AuditLine) -> Result<(), UpdateError> {
        write::update(self, update, line).await
    }

    async fn remove(
        &self,
        reach: &Reach,
        agent: AgentId,
        id: IntegrationId,
        names: &[EnvName],
        line: &AuditLine,
    ) -> Result<Removal, Unavailable> {
        Ok(write::remove(self, reach, agent, id, names, line).await?)
    }
}
