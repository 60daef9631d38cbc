//! Integrations in memory.

use async_trait::async_trait;
use nora_integrations::ports::{
    InsertError, IntegrationStore, IntegrationUpdate, NewIntegration, Removal, RemovalRecord, UpdateError,
};
use nora_integrations::{Integration, StoredIntegration};
use nora_kernel::audit::AuditLine;
use nora_kernel::{AgentId, EnvName, Idempotency, IntegrationId, Reach, Timestamp, Unavailable, Workspace, WrappedKey};

use super::{InMemory, RemovalEntry, State};

type Found = Option<(StoredIntegration, WrappedKey)>;

/// An agent's integrations, newest first.
pub(super) fn newest_first(state: &State, agent: AgentId) -> Vec<&StoredIntegration> {
    let mut integrations: Vec<_> = state.of_agent(agent).collect();
    integrations.sort_by_key(|stored| std::cmp::Reverse((stored.integration.created_at, stored.integration.id)));
    integrations
}

impl State {
    fn found(&self, reach: &Reach, agent: AgentId, id: IntegrationId) -> Found {
        let record = self.agent(reach, agent)?;
        let stored = self.integrations.get(&id).filter(|stored| stored.integration.agent == agent)?;
        Some((stored.clone(), record.key.clone()))
    }

    fn connect(&mut self, new: &NewIntegration, now: Timestamp) -> Result<(), InsertError> {
        let NewIntegration { integration, workspace, secrets } = new.clone();
        let agent = integration.agent;
        self.agent(&Reach::Workspace(workspace.clone()), agent).ok_or(InsertError::AgentNotFound)?;
        let same = |other: &&StoredIntegration| {
            (&other.integration.provider, &other.integration.label) == (&integration.provider, &integration.label)
        };
        if let Some(other) = self.of_agent(agent).find(same) {
            return Err(InsertError::Exists(other.integration.id));
        }
        let generation = self.raise(agent, now).ok_or(InsertError::AgentNotFound)?;
        let id = integration.id;
        let stored = StoredIntegration { integration, workspace, secrets, secrets_version: 1, generation };
        self.integrations.insert(id, stored);
        Ok(())
    }

    fn change(&mut self, update: &IntegrationUpdate, now: Timestamp) -> Result<(), UpdateError> {
        let IntegrationUpdate { agent, id, .. } = *update;
        let (present, _) = self.found(&Reach::Everything, agent, id).ok_or(UpdateError::NotFound)?;
        let state = (present.secrets_version, present.integration.updated_at);
        if state != (update.from_version, update.from_updated_at) {
            return Err(UpdateError::Conflict);
        }
        let generation = self.raise(agent, now).ok_or(UpdateError::NotFound)?;
        let stored = self.integrations.get_mut(&id).ok_or(UpdateError::NotFound)?;
        stored.generation = generation;
        stored.integration.config.clone_from(&update.config);
        stored.integration.updated_at = update.updated_at;
        if let Some(resealed) = update.secrets.clone() {
            stored.secrets = resealed.sealed;
            stored.secrets_version = resealed.version;
            stored.integration.secret_fields = resealed.fields;
            stored.integration.readable = true;
        }
        Ok(())
    }

    fn disconnect(&mut self, integration: Integration, names: &[EnvName], now: Timestamp) {
        let Integration { id, agent, provider, label, .. } = integration;
        self.integrations.remove(&id);
        self.end_selection(agent, &provider);
        let generation = self.raise(agent, now).unwrap_or_default();
        let record = RemovalRecord { integration: id, provider, label, names: names.to_vec(), confirmed_at: None };
        self.removals.push(RemovalEntry { agent, generation, removed_at: now, record });
    }
}

#[async_trait]
impl IntegrationStore for InMemory {
    async fn agent_key(&self, reach: &Reach, agent: AgentId) -> Result<Option<(Workspace, WrappedKey)>, Unavailable> {
        let key = |state: &State| {
            state.agent(reach, agent).map(|record| (record.agent.workspace.clone(), record.key.clone()))
        };
        Ok(self.read(key))
    }

    async fn insert(
        &self,
        integration: &NewIntegration,
        line: &AuditLine,
        idempotency: Option<&Idempotency>,
    ) -> Result<(), InsertError> {
        self.try_write(|state, now| {
            idempotency.map_or(Ok(()), |record| state.remember(record, now))?;
            state.connect(integration, now)?;
            state.lines.push(line.clone());
            Ok(())
        })
    }

    async fn list(&self, reach: &Reach, agent: AgentId) -> Result<Option<Vec<Integration>>, Unavailable> {
        let list = |state: &State| {
            state.agent(reach, agent)?;
            Some(newest_first(state, agent).into_iter().map(|stored| stored.integration.clone()).collect())
        };
        Ok(self.read(list))
    }

    async fn find(&self, reach: &Reach, agent: AgentId, id: IntegrationId) -> Result<Found, Unavailable> {
        Ok(self.read(|state| state.found(reach, agent, id)))
    }

    async fn find_to_open(
        &self,
        reach: &Reach,
        agent: AgentId,
        id: IntegrationId,
        line: &AuditLine,
    ) -> Result<Found, Unavailable> {
        Ok(self.write(|state, _| {
            let found = state.found(reach, agent, id);
            if found.as_ref().is_some_and(|(stored, _)| stored.secrets.is_some()) {
                state.lines.push(line.clone());
            }
            found
        }))
    }

    async fn update(&self, update: &IntegrationUpdate, line: &AuditLine) -> Result<(), UpdateError> {
        self.try_write(|state, now| {
            state.change(update, now)?;
            state.lines.push(line.clone());
            Ok(())
        })
    }

    async fn remove(
        &self,
        reach: &Reach,
        agent: AgentId,
        id: IntegrationId,
        names: &[EnvName],
        line: &AuditLine,
    ) -> Result<Removal, Unavailable> {
        Ok(self.write(|state, now| {
            let Some((stored, _)) = state.found(reach, agent, id) else { return Removal::Absent };
            state.disconnect(stored.integration, names, now);
            state.lines.push(line.clone());
            Removal::Removed
        }))
    }
}
