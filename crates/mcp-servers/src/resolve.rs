//! From an agent's selection and integrations to its servers with their credentials.

use std::sync::Arc;

use nora_catalog::{Catalog, Entry};
use nora_integrations::ports::SyncStore;
use nora_integrations::{Integration, SecretsError, StoredIntegration};
use nora_kernel::{Clock, IdSource, ProviderId, SecretMap, Unavailable, Vault};
use nora_provider_sdk::Connection;

use crate::feeding::{feeders, supported};
use crate::lines::Lines;
use crate::ports::{AgentServers, DeployedServer};
use crate::shown::{ShownServer, shown};

/// A server that is switched on and cannot be handed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Omitted {
    /// Its provider.
    pub provider: ProviderId,
    /// The field of its integration that is missing or does not fit.
    pub field: String,
}

/// An agent's servers, as a runtime gets them and as a person sees them.
#[derive(Debug, Default)]
pub(crate) struct Resolved {
    pub(crate) servers: Vec<DeployedServer>,
    pub(crate) shown: Vec<ShownServer>,
    pub(crate) omitted: Vec<Omitted>,
}

/// Why an agent's servers could not be told.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    /// The vault could not answer.
    #[error("the credentials of an MCP server cannot be opened now")]
    Vault(#[source] SecretsError),
    /// The store could not answer.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Opens what an agent's servers are fed with.
#[derive(Clone)]
pub(crate) struct Resolver {
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) sync: Arc<dyn SyncStore>,
    pub(crate) vault: Arc<dyn Vault>,
    pub(crate) ids: Arc<dyn IdSource>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Resolver {
    /// The servers of a selection. An integration that does not open says so from now on, and feeds nothing.
    pub(crate) async fn resolve(&self, agent: &AgentServers) -> Result<Resolved, ResolveError> {
        let mut resolved = Resolved::default();
        for provider in &agent.selected {
            let Some(entry) = supported(&self.catalog, provider) else { continue };
            for feeder in feeders(&self.catalog, &agent.integrations, provider) {
                match feeder.open(self.vault.as_ref(), &agent.key).await {
                    Ok(secrets) => {
                        resolved.add(entry, &feeder.integration, &secrets);
                        break;
                    }
                    Err(SecretsError::Unreadable) => self.mark_unreadable(feeder).await?,
                    Err(error @ SecretsError::Unavailable(_)) => return Err(ResolveError::Vault(error)),
                }
            }
        }
        Ok(resolved)
    }

    async fn mark_unreadable(&self, stored: &StoredIntegration) -> Result<(), Unavailable> {
        let Integration { id, agent, .. } = stored.integration;
        tracing::warn!(%agent, integration = %id, "an integration's secrets do not open; it needs to be reconnected");
        let line = self.lines().unreadable(&stored.workspace, agent, id);
        self.sync.mark_unreadable(id, stored.secrets_version, &line).await
    }

    pub(crate) fn lines(&self) -> Lines<'_> {
        Lines { ids: self.ids.as_ref(), clock: self.clock.as_ref() }
    }
}

impl Resolved {
    fn add(&mut self, entry: &Entry, integration: &Integration, secrets: &SecretMap) {
        let manifest = entry.manifest();
        let connection = Connection::new(manifest, &integration.config, secrets);
        match manifest.resolve_mcp(&connection) {
            Some(Ok(how)) => {
                let server = DeployedServer { name: manifest.id().clone(), integration: integration.id, how };
                self.shown.push(shown(&connection, integration, &server));
                self.servers.push(server);
            }
            Some(Err(unfed)) => self.omitted.push(Omitted { provider: manifest.id().clone(), field: unfed.field }),
            None => {}
        }
    }
}

/// Whether telling an agent's servers opens anything.
pub(crate) fn opens_secrets(catalog: &Catalog, agent: &AgentServers) -> bool {
    let fed = agent.selected.iter().filter(|provider| supported(catalog, provider).is_some());
    fed.flat_map(|provider| feeders(catalog, &agent.integrations, provider)).any(|feeder| feeder.secrets.is_some())
}
