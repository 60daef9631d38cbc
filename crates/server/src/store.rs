//! One database behind every port.

use std::sync::Arc;

use nora_access::ports::{AuditStore, IdempotencyStore, KeyStore};
use nora_agents::ports::{AgentStore, KeyCustody};
use nora_integrations::ports::{IntegrationStore, ShapeStore, SyncStore};
use nora_kernel::Readiness;
use nora_mcp_servers::ports::{McpStore, RedeployStore};
use nora_webhooks::ports::{ChannelStore, DeliveryStore, EventStore, Inbox};

/// What a database must be able to do.
pub(crate) trait Store:
    AgentStore
    + AuditStore
    + ChannelStore
    + DeliveryStore
    + EventStore
    + IdempotencyStore
    + Inbox
    + IntegrationStore
    + KeyCustody
    + KeyStore
    + McpStore
    + Readiness
    + RedeployStore
    + ShapeStore
    + SyncStore
    + 'static
{
}

impl<T> Store for T where
    T: AgentStore
        + AuditStore
        + ChannelStore
        + DeliveryStore
        + EventStore
        + Inbox
        + IdempotencyStore
        + IntegrationStore
        + KeyCustody
        + KeyStore
        + McpStore
        + Readiness
        + RedeployStore
        + ShapeStore
        + SyncStore
        + 'static
{
}

/// The same database, as each port sees it.
#[derive(Clone)]
pub(crate) struct Stores {
    pub(crate) agents: Arc<dyn AgentStore>,
    pub(crate) audit: Arc<dyn AuditStore>,
    pub(crate) channels: Arc<dyn ChannelStore>,
    pub(crate) custody: Arc<dyn KeyCustody>,
    pub(crate) deliveries: Arc<dyn DeliveryStore>,
    pub(crate) events: Arc<dyn EventStore>,
    pub(crate) idempotency: Arc<dyn IdempotencyStore>,
    pub(crate) inbox: Arc<dyn Inbox>,
    pub(crate) integrations: Arc<dyn IntegrationStore>,
    pub(crate) keys: Arc<dyn KeyStore>,
    pub(crate) mcp: Arc<dyn McpStore>,
    pub(crate) readiness: Arc<dyn Readiness>,
    pub(crate) redeploys: Arc<dyn RedeployStore>,
    pub(crate) shapes: Arc<dyn ShapeStore>,
    pub(crate) sync: Arc<dyn SyncStore>,
}

impl Stores {
    pub(crate) fn of<S: Store>(store: Arc<S>) -> Self {
        Self {
            agents: store.clone(),
            audit: store.clone(),
            channels: store.clone(),
            custody: store.clone(),
            deliveries: store.clone(),
            events: store.clone(),
            idempotency: store.clone(),
            inbox: store.clone(),
            integrations: store.clone(),
            keys: store.clone(),
            mcp: store.clone(),
            readiness: store.clone(),
            redeploys: store.clone(),
            shapes: store.clone(),
            sync: store,
        }
    }
}
