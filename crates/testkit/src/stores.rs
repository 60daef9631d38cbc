//! What a contract suite is given.

use std::sync::Arc;

use nora_access::ports::{AuditStore, IdempotencyStore, KeyStore};
use nora_agents::ports::{AgentStore, KeyCustody};
use nora_integrations::ports::{IntegrationStore, ShapeStore, SyncStore};
use nora_mcp_servers::ports::{McpStore, RedeployStore};
use nora_webhooks::ports::{ChannelStore, DeliveryStore, EventStore, Inbox};

use crate::ManualClock;

/// Every store port over one database, as one server sees it.
pub trait Stores: Send + Sync {
    /// API keys.
    fn keys(&self) -> Arc<dyn KeyStore>;
    /// The audit trail.
    fn audit(&self) -> Arc<dyn AuditStore>;
    /// Answers of earlier requests.
    fn idempotency(&self) -> Arc<dyn IdempotencyStore>;
    /// Agents.
    fn agents(&self) -> Arc<dyn AgentStore>;
    /// The custody of keys.
    fn custody(&self) -> Arc<dyn KeyCustody>;
    /// Integrations.
    fn integrations(&self) -> Arc<dyn IntegrationStore>;
    /// What providers looked like.
    fn shapes(&self) -> Arc<dyn ShapeStore>;
    /// The state of every agent's sync.
    fn sync(&self) -> Arc<dyn SyncStore>;
    /// Webhook channels.
    fn channels(&self) -> Arc<dyn ChannelStore>;
    /// Where events come in.
    fn inbox(&self) -> Arc<dyn Inbox>;
    /// The queue of deliveries.
    fn deliveries(&self) -> Arc<dyn DeliveryStore>;
    /// Events after they came.
    fn events(&self) -> Arc<dyn EventStore>;
    /// Which MCP servers agents have.
    fn mcp(&self) -> Arc<dyn McpStore>;
    /// Redeploys.
    fn redeploys(&self) -> Arc<dyn RedeployStore>;
}

impl<S> Stores for Arc<S>
where
    S: KeyStore + AuditStore + IdempotencyStore + AgentStore + KeyCustody + IntegrationStore + ShapeStore + SyncStore,
    S: ChannelStore + Inbox + DeliveryStore + EventStore + McpStore + RedeployStore + 'static,
{
    fn keys(&self) -> Arc<dyn KeyStore> {
        Self::clone(self)
    }

    fn audit(&self) -> Arc<dyn AuditStore> {
        Self::clone(self)
    }

    fn idempotency(&self) -> Arc<dyn IdempotencyStore> {
        Self::clone(self)
    }

    fn agents(&self) -> Arc<dyn AgentStore> {
        Self::clone(self)
    }

    fn custody(&self) -> Arc<dyn KeyCustody> {
        Self::clone(self)
    }

    fn integrations(&self) -> Arc<dyn IntegrationStore> {
        Self::clone(self)
    }

    fn shapes(&self) -> Arc<dyn ShapeStore> {
        Self::clone(self)
    }

    fn sync(&self) -> Arc<dyn SyncStore> {
        Self::clone(self)
    }

    fn channels(&self) -> Arc<dyn ChannelStore> {
        Self::clone(self)
    }

    fn inbox(&self) -> Arc<dyn Inbox> {
        Self::clone(self)
    }

    fn deliveries(&self) -> Arc<dyn DeliveryStore> {
        Self::clone(self)
    }

    fn events(&self) -> Arc<dyn EventStore> {
        Self::clone(self)
    }

    fn mcp(&self) -> Arc<dyn McpStore> {
        Self::clone(self)
    }

    fn redeploys(&self) -> Arc<dyn RedeployStore> {
        Self::clone(self)
    }
}

/// One fresh, empty, migrated database, thrown away when this is dropped.
pub trait Fixture: Send + Sync {
    /// The stores of one server.
    fn here(&self) -> &dyn Stores;

    /// The stores of another server over the same database; those of [`here`](Self::here) where a database serves
    /// one server only.
    fn elsewhere(&self) -> &dyn Stores;

    /// The clock all of them were opened with.
    fn clock(&self) -> &ManualClock;
}
