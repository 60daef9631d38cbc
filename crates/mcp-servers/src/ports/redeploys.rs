//! Where redeploys are kept until the runtime has confirmed them.

use std::time::Duration;

use async_trait::async_trait;
use nora_integrations::ports::{Failure, Held};
use nora_kernel::audit::AuditLine;
use nora_kernel::{AgentId, ProviderId, Reach, TargetId, Timestamp, Unavailable, Workspace};

use super::AgentServers;

/// A lease on an agent's redeploy: the right of one worker to hand its runtime a deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedeployClaim {
    /// The agent.
    pub agent: AgentId,
    /// Its workspace.
    pub workspace: Workspace,
    /// Grows with each claim of this agent's redeploy. A worker with an older number can change nothing.
    pub fence: i64,
    /// How many attempts were begun since it was asked for, this one included.
    pub attempt: u32,
    /// Whether it was asked for while another one was under way: it is done with if the runtime holds the present
    /// deployment by now.
    pub is_repeated: bool,
}

/// What a confirmed deployment leaves behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// Whose runtime confirmed it.
    pub target: TargetId,
    /// The keyed digest of the deployment.
    pub digest: [u8; 32],
    /// Its servers, in order.
    pub servers: Vec<ProviderId>,
    /// When.
    pub at: Timestamp,
}

/// Keeps redeploys that were asked for, and hands them out under leases.
///
/// What a runtime holds belongs to its target: a runtime an agent moves to holds nothing. A deployment that reaches a
/// target after the agent has left it makes that target due to be emptied once more.
#[async_trait]
pub trait RedeployStore: Send + Sync {
    /// Asks for a redeploy, due at once, and ends a permanent failure, in one transaction with the audit line; says
    /// whether there is such an agent within `reach`.
    ///
    /// While one waits for its turn nothing is added to it. While one is under way, one more follows it, marked as
    /// repeated.
    async fn request(&self, reach: &Reach, agent: AgentId, line: &AuditLine) -> Result<bool, Unavailable>;

    /// Leases at most `limit` redeploys that are due at `now`, for `lease` from `now` on. Those that have waited
    /// longest come first. None of a deleted agent, none after a permanent failure, and none that somebody holds a
    /// running lease on.
    async fn claim(&self, limit: u16, lease: Duration, now: Timestamp) -> Result<Vec<RedeployClaim>, Unavailable>;

    /// Makes the lease last until `until`.
    async fn renew(&self, claim: &RedeployClaim, until: Timestamp) -> Result<Held, Unavailable>;

    /// Gives leases back unused, so that another worker can claim the redeploys at once.
    async fn release(&self, claims: &[RedeployClaim]) -> Result<(), Unavailable>;

    /// Reads everything a redeploy needs at one moment; `None` if the lease was lost or the agent deleted.
    ///
    /// `line` is written in the same transaction if any integration of a selected provider has secrets.
    async fn snapshot(&self, claim: &RedeployClaim, line: &AuditLine) -> Result<Option<AgentServers>, Unavailable>;

    /// Notes that the target is about to be handed these servers: it may hold them from now on, besides those it may
    /// hold already. `Held::No` also if the agent does not live there any more.
    async fn handing(
        &self,
        claim: &RedeployClaim,
        target: TargetId,
        servers: &[ProviderId],
    ) -> Result<Held, Unavailable>;

    /// Records a confirmed deployment and ends the lease. If the agent has moved meanwhile, the redeploy is due again.
    async fn complete(&self, claim: &RedeployClaim, completion: &Completion) -> Result<Held, Unavailable>;

    /// Records a failed one and ends the lease. `target` is where it was handed, if it came to that.
    async fn fail(
        &self,
        claim: &RedeployClaim,
        failure: &Failure,
        target: Option<TargetId>,
    ) -> Result<Held, Unavailable>;

    /// Waits until a redeploy may have become due by this server's own doing. A hint: it may come without cause, and
    /// whoever waits must also look by itself from time to time.
    async fn redeploy_changed(&self);

    /// When the next redeploy becomes due, if any will.
    async fn next_redeploy_due(&self) -> Result<Option<Timestamp>, Unavailable>;
}
