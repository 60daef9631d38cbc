//! The use cases of people: which servers there are, which are switched on, and what a redeploy would hand over.

use std::collections::BTreeSet;
use std::sync::Arc;

use nora_catalog::{Catalog, Entry};
use nora_integrations::ports::SyncStore;
use nora_kernel::audit::{Action, AuditLine};
use nora_kernel::{AgentId, Caller, Clock, Digest, IdSource, ProviderId, Unavailable, Vault};

use crate::feeding::{connected, supported};
use crate::look::{Look, Looks, fingerprint};
use crate::ports::{AgentServers, McpStore, RedeployStore};
use crate::resolve::{Resolved, Resolver, opens_secrets};
use crate::status::status;
use crate::{DeploymentStatus, DeploymentView, ResolveError, digest};

/// A server an agent can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerView<'a> {
    /// Its provider.
    pub provider: &'a ProviderId,
    /// The provider's name.
    pub name: &'a str,
    /// The npm package; empty for a server that is none.
    pub npm_package: &'a str,
    /// Its documentation.
    pub docs_url: &'a str,
    /// What to know before using it; empty where there is nothing.
    pub notes: &'a str,
    /// Whether the agent has an integration that can feed it.
    pub connected: bool,
    /// Whether it is switched on.
    pub enabled: bool,
}

/// A selection that was made.
#[derive(Debug)]
pub struct Selection<'a> {
    /// The providers whose server is switched on, in order.
    pub enabled: Vec<ProviderId>,
    /// Whether the runtime holds something else than a redeploy would hand over.
    pub redeploy_required: bool,
    /// Every server.
    pub servers: Vec<ServerView<'a>>,
}

/// What the use cases are put together from.
#[derive(Clone)]
pub struct Parts {
    /// Every provider.
    pub catalog: Arc<Catalog>,
    /// Where selections are kept.
    pub store: Arc<dyn McpStore>,
    /// Where redeploys are kept.
    pub redeploys: Arc<dyn RedeployStore>,
    /// Where it is kept that credentials do not open.
    pub sync: Arc<dyn SyncStore>,
    /// What opens credentials.
    pub vault: Arc<dyn Vault>,
    /// What deployments are compared by.
    pub digest: Arc<dyn Digest>,
    /// Where ids come from.
    pub ids: Arc<dyn IdSource>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// The MCP servers of agents.
#[derive(Clone)]
pub struct McpServers {
    store: Arc<dyn McpStore>,
    redeploys: Arc<dyn RedeployStore>,
    digest: Arc<dyn Digest>,
    resolver: Resolver,
    looks: Arc<Looks>,
}

impl McpServers {
    /// Joins the parts.
    pub fn new(parts: Parts) -> Self {
        let Parts { catalog, store, redeploys, sync, vault, digest, ids, clock } = parts;
        let resolver = Resolver { catalog, sync, vault, ids, clock };
        Self { store, redeploys, digest, resolver, looks: Arc::default() }
    }

    /// Every server an agent can have; `None` if there is no such agent for the caller.
    pub async fn list(&self, caller: &Caller, agent: AgentId) -> Result<Option<Vec<ServerView<'_>>>, Unavailable> {
        let found = self.store.find(&caller.reach(), agent).await?;
        Ok(found.map(|found| self.views(&found)))
    }

    /// Replaces the set of servers that are switched on; `None` if there is no such agent for the caller.
    ///
    /// Names of providers that are unknown, have no server, or are not connected are ignored.
    pub async fn select(
        &self,
        caller: &Caller,
        agent: AgentId,
        providers: &[String],
    ) -> Result<Option<Selection<'_>>, ResolveError> {
        let catalog = &self.resolver.catalog;
        let named = providers.iter().filter_map(|name| name.parse::<ProviderId>().ok());
        let usable = |id: &ProviderId| supported(catalog, id).is_some_and(Entry::is_enabled);
        let mut named: Vec<ProviderId> = named.filter(usable).collect();
        named.sort();
        named.dedup();
        let Some(line) = self.line(caller, Action::McpServersSelected, agent).await? else { return Ok(None) };
        let Some(found) = self.store.select(&caller.reach(), agent, &named, &line).await? else { return Ok(None) };
        let look = self.look(caller, agent, &found).await?;
        let servers = self.views(&found);
        let enabled = servers.iter().filter(|server| server.enabled).map(|server| server.provider.clone()).collect();
        let redeploy_required = status(&found, &look).redeploy_required;
        Ok(Some(Selection { enabled, redeploy_required, servers }))
    }

    /// What a redeploy would hand over; `None` if there is no such agent for the caller.
    pub async fn deployment(&self, caller: &Caller, agent: AgentId) -> Result<Option<DeploymentView>, ResolveError> {
        let Some(found) = self.store.find(&caller.reach(), agent).await? else { return Ok(None) };
        let look = self.look(caller, agent, &found).await?;
        Ok(Some(DeploymentView { kind: found.target.kind, look }))
    }

    /// How the runtime's deployment stands; `None` if there is no such agent for the caller.
    pub async fn status(&self, caller: &Caller, agent: AgentId) -> Result<Option<DeploymentStatus>, ResolveError> {
        let Some(found) = self.store.find(&caller.reach(), agent).await? else { return Ok(None) };
        let look = self.look(caller, agent, &found).await?;
        Ok(Some(status(&found, &look)))
    }

    /// Asks for a redeploy; says whether there is such an agent for the caller. While one is under way nothing is
    /// handed over twice.
    pub async fn request_redeploy(&self, caller: &Caller, agent: AgentId) -> Result<bool, Unavailable> {
        let Some(line) = self.line(caller, Action::RedeployRequested, agent).await? else { return Ok(false) };
        self.redeploys.request(&caller.reach(), agent, &line).await
    }

    /// The line belongs into the trail of the agent's workspace, which an admin need not share.
    async fn line(&self, caller: &Caller, action: Action, agent: AgentId) -> Result<Option<AuditLine>, Unavailable> {
        let found = self.store.find(&caller.reach(), agent).await?;
        Ok(found.map(|found| self.resolver.lines().asked(caller, &found.target.workspace, action, agent)))
    }

    /// What the deployment looks like. Credentials are opened only if something has changed since the last look.
    async fn look(&self, caller: &Caller, agent: AgentId, found: &AgentServers) -> Result<Arc<Look>, ResolveError> {
        let fingerprint = fingerprint(self.digest.as_ref(), &self.resolver.catalog, found);
        if let Some(look) = self.looks.find(agent, &fingerprint) {
            return Ok(look);
        }
        if opens_secrets(&self.resolver.catalog, found) {
            let line = self.resolver.lines().opened_for(caller, &found.target.workspace, agent);
            self.store.opening(&line).await?;
        }
        let Resolved { servers, shown, omitted } = self.resolver.resolve(found).await?;
        let digest = digest::keyed(self.digest.as_ref(), &servers);
        let look = Arc::new(Look { digest, servers: shown, omitted });
        self.looks.remember(agent, fingerprint, &look);
        Ok(look)
    }

    fn views(&self, found: &AgentServers) -> Vec<ServerView<'_>> {
        let connected = connected(&self.resolver.catalog, &found.integrations);
        let entries = self.resolver.catalog.entries();
        entries.filter_map(|entry| view(entry, &connected, &found.selected)).collect()
    }
}

fn view<'a>(entry: &'a Entry, connected: &BTreeSet<&ProviderId>, selected: &[ProviderId]) -> Option<ServerView<'a>> {
    let (manifest, server) = (entry.manifest(), entry.manifest().mcp()?);
    let connected = connected.contains(manifest.id());
    Some(ServerView {
        provider: manifest.id(),
        name: manifest.name(),
        npm_package: server.npm_package(),
        docs_url: &server.docs_url,
        notes: &server.notes,
        connected,
        enabled: connected && selected.contains(manifest.id()),
    })
}
