//! An agent's connections: what all use cases share, listing and removal.

use std::sync::Arc;

use nora_catalog::Catalog;
use nora_kernel::audit::Action;
use nora_kernel::{AgentId, Caller, Clock, IdSource, IntegrationId, Unavailable, Vault};

use crate::lines::Lines;
use crate::ports::{IntegrationStore, Removal, SyncStore, TestContexts};
use crate::{Integration, StoredIntegration, TestLimiter, variable_names};

/// Why an integration was not removed.
#[derive(Debug, thiserror::Error)]
pub enum RemoveError {
    /// There is no such integration for this caller.
    #[error("there is no such integration")]
    NotFound,
    /// The store could not answer.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Connects agents to providers, and lists, changes, removes and tests their connections.
#[derive(Clone)]
pub struct Connections {
    /// Every provider.
    pub catalog: Arc<Catalog>,
    /// Where integrations are kept.
    pub store: Arc<dyn IntegrationStore>,
    /// Where the state of their sync is kept.
    pub sync: Arc<dyn SyncStore>,
    /// What seals credentials.
    pub vault: Arc<dyn Vault>,
    /// Where connection tests get their I/O.
    pub contexts: Arc<dyn TestContexts>,
    /// How often connections may be tested.
    pub limiter: Arc<TestLimiter>,
    /// Where ids come from.
    pub ids: Arc<dyn IdSource>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl Connections {
    /// An agent's integrations, newest first; `None` if there is no such agent for the caller.
    pub async fn list(&self, caller: &Caller, agent: AgentId) -> Result<Option<Vec<Integration>>, Unavailable> {
        self.store.list(&caller.reach(), agent).await
    }

    /// One integration, if there is such a one for the caller.
    pub async fn find(
        &self,
        caller: &Caller,
        agent: AgentId,
        id: IntegrationId,
    ) -> Result<Option<StoredIntegration>, Unavailable> {
        let found = self.store.find(&caller.reach(), agent, id).await?;
        Ok(found.map(|(stored, _)| stored))
    }

    /// Removes an integration. The next sync takes its credentials out of the runtime.
    pub async fn remove(&self, caller: &Caller, agent: AgentId, id: IntegrationId) -> Result<(), RemoveError> {
        let stored = self.find(caller, agent, id).await?.ok_or(RemoveError::NotFound)?;
        let entry = self.catalog.entry(stored.integration.provider.as_str());
        let names = entry.map(|entry| variable_names(entry.manifest(), &stored.integration)).unwrap_or_default();
        let line = self.lines().change(caller, &stored.workspace, Action::IntegrationDeleted, agent, id);
        match self.store.remove(&caller.reach(), agent, id, &names, &line).await? {
            Removal::Removed => Ok(()),
            Removal::Absent => Err(RemoveError::NotFound),
        }
    }

    pub(crate) fn lines(&self) -> Lines<'_> {
        Lines { ids: self.ids.as_ref(), clock: self.clock.as_ref() }
    }
}
