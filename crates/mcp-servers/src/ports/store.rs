//! Where it is kept which MCP servers an agent has.

use async_trait::async_trait;
use nora_agents::Target;
use nora_integrations::StoredIntegration;
use nora_integrations::ports::Failure;
use nora_kernel::audit::AuditLine;
use nora_kernel::{AgentId, ProviderId, Reach, Timestamp, Unavailable, WrappedKey};

/// Everything that decides about an agent's MCP servers, as of one moment.
#[derive(Debug, Clone)]
pub struct AgentServers {
    /// Where the agent lives.
    pub target: Target,
    /// The agent's data key.
    pub key: WrappedKey,
    /// The providers whose server is switched on, in order.
    pub selected: Vec<ProviderId>,
    /// The agent's integrations, oldest first.
    pub integrations: Vec<StoredIntegration>,
    /// What its runtime was handed.
    pub deployed: Deployed,
    /// How its redeploys stand.
    pub redeploy: Redeploy,
}

/// What a runtime was handed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Deployed {
    /// The keyed digest of the deployment it confirmed last; `None` if it never confirmed one.
    pub digest: Option<[u8; 32]>,
    /// When it confirmed it.
    pub at: Option<Timestamp>,
    /// The servers it may hold, in order: those it confirmed, and those of deployments it did not confirm.
    pub servers: Vec<ProviderId>,
}

/// How an agent's redeploys stand.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Redeploy {
    /// Whether one was asked for and is not confirmed.
    pub is_pending: bool,
    /// When it is tried next; `None` while none is pending, and after a permanent failure.
    pub next_attempt_at: Option<Timestamp>,
    /// The failure since the last success, if there was one.
    pub last_failure: Option<Failure>,
}

/// Keeps which MCP servers agents have.
///
/// An agent outside the caller's reach, or a deleted one, is absent. A selected provider whose last integration is
/// removed is selected no longer, from the very transaction of the removal on.
#[async_trait]
pub trait McpStore: Send + Sync {
    /// Everything that decides about an agent's servers; `None` if there is no such agent within `reach`.
    async fn find(&self, reach: &Reach, agent: AgentId) -> Result<Option<AgentServers>, Unavailable>;

    /// Replaces the selection by those of `providers` that the agent has a readable integration of, in one transaction
    /// with the audit line, and returns what [`find`](Self::find) finds from then on.
    ///
    /// Of two replacements at once the later one wins whole. Naming a provider twice is naming it once.
    async fn select(
        &self,
        reach: &Reach,
        agent: AgentId,
        providers: &[ProviderId],
        line: &AuditLine,
    ) -> Result<Option<AgentServers>, Unavailable>;

    /// Writes the line about credentials that are about to be opened.
    async fn opening(&self, line: &AuditLine) -> Result<(), Unavailable>;
}
