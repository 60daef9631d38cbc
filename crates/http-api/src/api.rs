//! What the HTTP API is put together from.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use nora_access::ports::IdempotencyStore;
use nora_access::{Authenticator, Keys, Trail};
use nora_agents::Agents;
use nora_integrations::Connections;
use nora_kernel::{Clock, Digest, IdSource, Readiness};
use nora_mcp_servers::McpServers;
use nora_webhooks::{Channels, Receiver};

use crate::idempotency::InProgress;
use crate::resources::Documents;
use crate::webhook_body::Held;
use crate::{HttpMetrics, Limits, WebhookMetrics};

/// The use cases behind the routes, and what the edge itself needs.
pub struct Ports {
    /// Who a token belongs to.
    pub authenticator: Arc<Authenticator>,
    /// API keys.
    pub keys: Keys,
    /// The audit trail.
    pub trail: Trail,
    /// Agents.
    pub agents: Agents,
    /// Integrations, and the catalog they are made from.
    pub connections: Connections,
    /// MCP servers and redeploys.
    pub mcp_servers: McpServers,
    /// Webhook channels and what came in by them.
    pub channels: Channels,
    /// What takes webhooks in.
    pub receiver: Receiver,
    /// The answers of earlier requests.
    pub idempotency: Arc<dyn IdempotencyStore>,
    /// Where request ids come from.
    pub ids: Arc<dyn IdSource>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// What bodies of repeated requests are compared by.
    pub digest: Arc<dyn Digest>,
    /// What has to work before requests should be sent here, each under the name an operator knows it by.
    pub readiness: Vec<(&'static str, Arc<dyn Readiness>)>,
    /// Where requests are counted.
    pub metrics: HttpMetrics,
    /// Where webhooks are counted.
    pub webhook_metrics: WebhookMetrics,
    /// What a request may cost.
    pub limits: Limits,
}

/// The HTTP API's state, shared by every worker thread.
pub struct Api {
    pub(crate) ports: Ports,
    pub(crate) in_progress: InProgress,
    pub(crate) held: Held,
    documents: OnceLock<Documents>,
    draining: AtomicBool,
}

impl std::fmt::Debug for Api {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Api").field("draining", &self.draining).finish_non_exhaustive()
    }
}

impl Api {
    /// Joins the parts.
    pub fn new(ports: Ports) -> Arc<Self> {
        Arc::new(Self {
            held: Held::new(ports.limits.webhook_memory),
            ports,
            in_progress: InProgress::default(),
            documents: OnceLock::new(),
            draining: AtomicBool::new(false),
        })
    }

    /// Turns readiness off and asks clients to take their next request elsewhere. What is under way is not touched.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Made when it is first asked for: most processes never are.
    pub(crate) fn documents(&self) -> &Documents {
        self.documents.get_or_init(|| Documents::new(self.ports.digest.as_ref()))
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }
}
