//! Agents and the custody of their keys in memory.

use async_trait::async_trait;
use nora_agents::ports::{
    AgentStore, AgentUpdate, InsertAgentError, KeyCustody, StoredAgent, TargetUpdate, UpdateAgentError,
};
use nora_agents::{Agent, Gateway, Runtime, Target};
use nora_kernel::audit::AuditLine;
use nora_kernel::{AgentId, Idempotency, Page, PageRequest, Reach, Timestamp, Unavailable, Workspace, WrappedKey};

use super::access::page;
use super::{AgentRecord, InMemory, State};

impl State {
    fn stored(&self, record: &AgentRecord) -> Option<StoredAgent> {
        let target = self.live_target(record.agent.id)?.target.clone();
        let AgentRecord { agent, key, revision, .. } = record.clone();
        Some(StoredAgent { agent, key, target, revision })
    }

    fn change_agent(&mut self, update: &AgentUpdate, now: Timestamp) -> Result<(), UpdateAgentError> {
        let record = self.agents.get_mut(&update.id).filter(|record| !record.deleted);
        let record = record.ok_or(UpdateAgentError::NotFound)?;
        if record.revision != update.revision {
            return Err(UpdateAgentError::Conflict);
        }
        record.revision += 1;
        record.agent.name = update.name.clone();
        record.agent.updated_at = update.updated_at;
        match &update.target {
            TargetUpdate::Keep => {}
            TargetUpdate::Rekey(target) => {
                settle(&mut record.agent, target);
                let live = self.live(update.id).filter(|live| live.target.id == target.id);
                live.ok_or(UpdateAgentError::Conflict)?.target = target.clone();
                self.raise_anew(update.id, now);
            }
            TargetUpdate::Move { to, purge_until } => {
                settle(&mut record.agent, to);
                let owned = self.hand_over(update.id, to);
                let emptied = self.retire(update.id, *purge_until, now).ok_or(UpdateAgentError::NotFound)?;
                self.add_target(to, emptied + 1, now).ok_or(UpdateAgentError::GatewayTaken)?;
                self.live(update.id).ok_or(UpdateAgentError::NotFound)?.owned = owned;
            }
        }
        Ok(())
    }
}

/// The agent lives at this target from now on.
fn settle(agent: &mut Agent, target: &Target) {
    agent.runtime = Runtime { kind: target.kind, url: target.url.clone() };
    let gateway = target.gateway.clone().zip(target.device_id.clone());
    agent.gateway = gateway.map(|(url, device_id)| Gateway { url, device_id });
}

#[async_trait]
impl AgentStore for InMemory {
    async fn insert(
        &self,
        agent: &StoredAgent,
        line: &AuditLine,
        idempotency: Option<&Idempotency>,
    ) -> Result<(), InsertAgentError> {
        self.try_write(|state, now| {
            idempotency.map_or(Ok(()), |record| state.remember(record, now))?;
            let StoredAgent { agent, key, target, revision } = agent.clone();
            let id = agent.id;
            let record = AgentRecord { agent, key, revision, deleted: false };
            if state.agents.insert(id, record).is_some() {
                return Err(InsertAgentError::AgentExists);
            }
            state.add_target(&target, 1, now).ok_or(InsertAgentError::GatewayTaken)?;
            state.lines.push(line.clone());
            Ok(())
        })
    }

    async fn find(&self, reach: &Reach, id: AgentId) -> Result<Option<StoredAgent>, Unavailable> {
        Ok(self.read(|state| state.agent(reach, id).and_then(|record| state.stored(record))))
    }

    async fn list(&self, workspace: &Workspace, request: PageRequest) -> Result<Page<Agent>, Unavailable> {
        let is_own = |record: &&AgentRecord| !record.deleted && record.agent.workspace == *workspace;
        let agents = self.read(|state| state.agents.values().filter(is_own).map(|own| own.agent.clone()).collect());
        Ok(page(agents, request, Agent::cursor))
    }

    async fn update(&self, update: &AgentUpdate, line: &AuditLine) -> Result<(), UpdateAgentError> {
        self.try_write(|state, now| {
            state.change_agent(update, now)?;
            state.lines.push(line.clone());
            Ok(())
        })
    }

    async fn delete(
        &self,
        reach: &Reach,
        id: AgentId,
        purge_until: Timestamp,
        line: &AuditLine,
    ) -> Result<bool, Unavailable> {
        Ok(self.write(|state, now| {
            if state.agent(reach, id).is_none() {
                return false;
            }
            if let Some(record) = state.agents.get_mut(&id) {
                record.deleted = true;
            }
            state.retire(id, purge_until, now);
            state.lines.push(line.clone());
            true
        }))
    }

    async fn request_sync(&self, reach: &Reach, id: AgentId, line: &AuditLine) -> Result<bool, Unavailable> {
        Ok(self.write(|state, now| {
            let found = state.agent(reach, id).is_some();
            if found {
                state.raise_anew(id, now);
                state.lines.push(line.clone());
            }
            found
        }))
    }
}

#[async_trait]
impl KeyCustody for InMemory {
    async fn check_value(&self) -> Result<Option<Vec<u8>>, Unavailable> {
        Ok(self.read(|state| state.check_value.clone()))
    }

    async fn set_check_value(&self, value: &[u8]) -> Result<Vec<u8>, Unavailable> {
        Ok(self.write(|state, _| state.check_value.get_or_insert_with(|| value.to_vec()).clone()))
    }

    async fn replace_check_value(&self, value: &[u8]) -> Result<(), Unavailable> {
        self.write(|state, _| state.check_value = Some(value.to_vec()));
        Ok(())
    }

    async fn agent_keys(
        &self,
        after: Option<AgentId>,
        limit: u16,
    ) -> Result<Vec<(AgentId, Workspace, WrappedKey)>, Unavailable> {
        let entry = |(id, record): (&AgentId, &AgentRecord)| (*id, record.agent.workspace.clone(), record.key.clone());
        Ok(self.read(|state| {
            let behind = state.agents.iter().filter(|(id, _)| after.is_none_or(|after| **id > after));
            behind.take(limit.into()).map(entry).collect()
        }))
    }

    async fn replace_agent_key(&self, agent: AgentId, old: &WrappedKey, new: &WrappedKey) -> Result<bool, Unavailable> {
        Ok(self.write(|state, _| {
            let record = state.agents.get_mut(&agent).filter(|record| record.key == *old);
            record.map(|record| record.key = new.clone()).is_some()
        }))
    }
}
