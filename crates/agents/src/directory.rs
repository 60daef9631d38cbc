//! The use cases that need no file of their own, and the parts all of them share.

use std::sync::Arc;
use std::time::Duration;

use nora_kernel::audit::Action;
use nora_kernel::{AgentId, Caller, Clock, IdSource, Page, PageRequest, Unavailable, Vault, Workspace};

use crate::ports::{AgentStore, DeviceKeys, StoredAgent};
use crate::{AddressRules, Agent};

/// How long a runtime that no longer belongs to an agent is asked to empty itself.
pub(crate) const PURGE_PATIENCE: Duration = Duration::from_hours(24);

/// Why an agent was not deleted, or its sync not requested.
#[derive(Debug, thiserror::Error)]
pub enum DeleteAgentError {
    /// There is no such agent for this caller.
    #[error("there is no such agent")]
    NotFound,
    /// The store could not answer.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Registers, finds, changes and deletes agents.
#[derive(Clone)]
pub struct Agents {
    /// Where agents are kept.
    pub store: Arc<dyn AgentStore>,
    /// What seals the keys of runtimes.
    pub vault: Arc<dyn Vault>,
    /// What makes device keys for gateways.
    pub device_keys: Arc<dyn DeviceKeys>,
    /// Which addresses runtimes may have.
    pub rules: AddressRules,
    /// Where ids come from.
    pub ids: Arc<dyn IdSource>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl Agents {
    /// The agent with this id, if it exists for the caller.
    pub async fn find(&self, caller: &Caller, id: AgentId) -> Result<Option<StoredAgent>, Unavailable> {
        self.store.find(&caller.reach(), id).await
    }

    /// A workspace's agents, newest first.
    pub async fn list(&self, workspace: &Workspace, page: PageRequest) -> Result<Page<Agent>, Unavailable> {
        self.store.list(workspace, page).await
    }

    /// Deletes an agent. It is absent from now on; its runtime is emptied in the background, and then its rows and
    /// its data key are destroyed.
    pub async fn delete(&self, caller: &Caller, id: AgentId) -> Result<(), DeleteAgentError> {
        let stored = self.find(caller, id).await?.ok_or(DeleteAgentError::NotFound)?;
        let line = self.line(caller, &stored.agent.workspace, Action::AgentDeleted, id);
        let until = self.clock.now().after(PURGE_PATIENCE);
        let deleted = self.store.delete(&caller.reach(), id, until, &line).await?;
        if deleted { Ok(()) } else { Err(DeleteAgentError::NotFound) }
    }

    /// Asks for a push now, also out of a permanent failure.
    pub async fn request_sync(&self, caller: &Caller, id: AgentId) -> Result<(), DeleteAgentError> {
        let stored = self.find(caller, id).await?.ok_or(DeleteAgentError::NotFound)?;
        let line = self.line(caller, &stored.agent.workspace, Action::SyncRequested, id);
        let requested = self.store.request_sync(&caller.reach(), id, &line).await?;
        if requested { Ok(()) } else { Err(DeleteAgentError::NotFound) }
    }
}
