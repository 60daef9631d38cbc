//! Where the state of every agent's sync is kept.

use std::time::Duration;

use async_trait::async_trait;
use nora_agents::{RuntimeKind, Target};
use nora_kernel::audit::AuditLine;
use nora_kernel::{
    AgentId, EnvName, IntegrationId, Label, ProviderId, Reach, TargetId, Timestamp, Unavailable, Workspace, WrappedKey,
};

use super::{FailureClass, OwnedVariable, Variable};
use crate::{Integration, StoredIntegration};

/// Why a target was claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// Its desired generation is above its applied one.
    Push,
    /// They are equal, and it is time to ask the runtime whether it agrees.
    Check,
}

/// What a target is to its agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Where the agent lives.
    Live,
    /// Where it lived. It is to hold nothing.
    Retired {
        /// When to stop asking.
        until: Timestamp,
        /// Whether the agent is deleted. If it is not, it lives elsewhere now, perhaps on the same machine under
        /// another name.
        agent_deleted: bool,
    },
}

/// A lease on a target: the right of one worker to push to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The target.
    pub target: TargetId,
    /// The agent.
    pub agent: AgentId,
    /// Its workspace.
    pub workspace: Workspace,
    /// What the target is to its agent.
    pub role: Role,
    /// Why it was claimed.
    pub task: Task,
    /// Grows with each claim of this target. A worker with an older number can change nothing.
    pub fence: i64,
    /// How many pushes were begun since the last success, this one included.
    pub attempt: u32,
    /// The generation the runtime last confirmed.
    pub applied: u64,
}

/// Whether a worker still held its lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// It did, and what it asked for was done.
    Yes,
    /// It did not, and nothing was changed.
    No,
}

/// Everything one push needs, as of one moment.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// The target.
    pub target: Target,
    /// The agent's data key.
    pub key: WrappedKey,
    /// The generation to push.
    pub generation: u64,
    /// The agent's integrations, oldest first; empty for a retired target.
    pub integrations: Vec<StoredIntegration>,
    /// The MCP servers that a retired target may hold; empty for a live one.
    pub undeploy: Vec<ProviderId>,
    /// What is owned in the runtime, as it was last recorded.
    pub owned: Vec<OwnedVariable>,
}

/// What a check needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedTarget {
    /// The target.
    pub target: Target,
    /// The agent's data key.
    pub key: WrappedKey,
    /// What is owned in the runtime, as it was last recorded.
    pub owned: Vec<OwnedVariable>,
}

/// A runtime that agreed when it was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreed {
    /// The lease under which it was asked.
    pub claim: Claim,
    /// When to ask it next.
    pub next_check_at: Timestamp,
}

/// What a confirmed push leaves behind.
#[derive(Debug, Clone)]
pub struct Completion {
    /// The generation that was pushed and confirmed.
    pub generation: u64,
    /// What became of each variable.
    pub variables: Vec<Variable>,
    /// When it was confirmed.
    pub at: Timestamp,
    /// When to ask the runtime next whether it still agrees.
    pub next_check_at: Timestamp,
}

/// What a failed push leaves behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Its class.
    pub class: FailureClass,
    /// When it failed.
    pub at: Timestamp,
    /// When to try again; `None` ends the attempts until the agent's runtime changes or a sync is asked for.
    pub next_attempt_at: Option<Timestamp>,
}

/// The state of an agent's sync as it is kept.
#[derive(Debug, Clone)]
pub struct SyncRecord {
    /// The generation the runtime should have.
    pub desired: u64,
    /// The generation it confirmed.
    pub applied: u64,
    /// When it last confirmed one.
    pub last_synced_at: Option<Timestamp>,
    /// When the next push is due, while one is due.
    pub next_attempt_at: Option<Timestamp>,
    /// The failure since the last success, if there was one.
    pub last_failure: Option<Failure>,
    /// The id of the device key for the gateway, if there is one.
    pub device_id: Option<String>,
    /// What became of each variable of the last confirmed push.
    pub variables: Vec<Variable>,
    /// The agent's integrations, newest first, each with the generation of its last change.
    pub integrations: Vec<(Integration, u64)>,
    /// What was removed, newest first, at most 100.
    pub removals: Vec<RemovalRecord>,
}

/// An integration that was removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemovalRecord {
    /// Which one it was.
    pub integration: IntegrationId,
    /// Its provider.
    pub provider: ProviderId,
    /// Its label.
    pub label: Label,
    /// The variables it had set.
    pub names: Vec<EnvName>,
    /// When the runtime confirmed a state without it.
    pub confirmed_at: Option<Timestamp>,
}

/// What runtimes are waited for to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Awaited {
    /// To confirm what their agents should have.
    Sync,
    /// To confirm that what was removed, or everything where their agents do not live any more, is gone.
    Purge,
}

/// Runtimes that have not confirmed yet: those of one kind, for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unconfirmed {
    /// What they are waited for to do.
    pub awaited: Awaited,
    /// Their kind.
    pub kind: RuntimeKind,
    /// Why the last push failed; `None` where none has failed since the last success.
    pub reason: Option<FailureClass>,
    /// How many runtimes, or removals, these are.
    pub count: u64,
    /// Since when the first of them is waited for.
    pub oldest: Timestamp,
}

/// Keeps the state of every agent's sync, and hands it out under leases.
#[async_trait]
pub trait SyncStore: Send + Sync {
    /// Leases at most `limit` targets that are due at `now`, for `lease` from `now` on. Those that have waited longest come first.
    ///
    /// Due are targets whose desired generation is above the applied one and whose next attempt has come, and live
    /// ones in step whose next check has come; not those in a permanent failure, and none that somebody holds a
    /// running lease on. A push is claimed before a check. The attempt is counted here, so that a push that kills the
    /// process counts too.
    async fn claim(&self, limit: u16, lease: Duration, now: Timestamp) -> Result<Vec<Claim>, Unavailable>;

    /// Makes the lease last until `until`.
    async fn renew(&self, claim: &Claim, until: Timestamp) -> Result<Held, Unavailable>;

    /// Gives leases back unused, so that another worker can claim the targets at once.
    async fn release(&self, claims: &[Claim]) -> Result<(), Unavailable>;

    /// Reads everything a push needs at one moment; `None` if the lease was lost.
    ///
    /// `line` is written in the same transaction if any integration with secrets is in the snapshot.
    async fn snapshot(&self, claim: &Claim, line: &AuditLine) -> Result<Option<Snapshot>, Unavailable>;

    /// Records a confirmed push and ends the lease. The applied generation never falls.
    ///
    /// Removals up to that generation count as confirmed. A retired target is forgotten; when it was the last one of
    /// a deleted agent, the agent's rows and data key are destroyed. `line` is written for a retired target only.
    async fn complete(&self, claim: &Claim, completion: &Completion, line: &AuditLine) -> Result<Held, Unavailable>;

    /// The target of each claim, without any integration; `None` if the lease was lost.
    async fn targets(&self, claims: &[Claim]) -> Result<Vec<Option<CheckedTarget>>, Unavailable>;

    /// Makes `owned` what is owned in the target's runtime. The lease goes on.
    ///
    /// A target that was retired since it was claimed counts as lost: what it owned may belong to the agent's new
    /// target by now. (A target that succeeds one of the same kind at the same gateway, or at the same URL where
    /// there is no gateway, takes over what that one owned.)
    async fn record_owned(&self, claim: &Claim, owned: &[OwnedVariable]) -> Result<Held, Unavailable>;

    /// Records of each runtime that it agreed when it was asked, and ends its lease. One that was lost holds up none of
    /// the others.
    async fn checked(&self, agreed: &[Agreed]) -> Result<Vec<Held>, Unavailable>;

    /// Raises the desired generation above `current`, makes the target due at `next_attempt_at` and ends the lease,
    /// in one transaction with the audit line.
    ///
    /// A target that was retired since it was claimed is due and not raised, and there is no line: what was found out
    /// about a live target says nothing about it.
    async fn raise(
        &self,
        claim: &Claim,
        current: u64,
        next_attempt_at: Timestamp,
        line: &AuditLine,
    ) -> Result<Held, Unavailable>;

    /// Records a failed push and ends the lease.
    ///
    /// `pushed` is the generation of the snapshot that was pushed. If the desired generation has grown above it
    /// meanwhile, the target is due at once, whatever the failure says.
    async fn fail(&self, claim: &Claim, failure: &Failure, pushed: Option<u64>) -> Result<Held, Unavailable>;

    /// Gives up on a retired target: forgets it like a completed one, with an audit line that says so.
    async fn abandon(&self, claim: &Claim, line: &AuditLine) -> Result<Held, Unavailable>;

    /// Records that an integration's secrets do not open, in one transaction with the audit line. It neither raises
    /// the generation nor does anything if new secrets have come meanwhile (`secrets_version` has grown).
    async fn mark_unreadable(
        &self,
        integration: IntegrationId,
        secrets_version: u64,
        line: &AuditLine,
    ) -> Result<(), Unavailable>;

    /// The state of an agent's sync; `None` if there is no such agent within `reach`.
    async fn state(&self, reach: &Reach, agent: AgentId) -> Result<Option<SyncRecord>, Unavailable>;

    /// Everything that runtimes have not confirmed, here and everywhere, by what it is, kind and reason.
    ///
    /// A runtime is behind since the first change it has not confirmed, or where only a sync was asked for since it
    /// last confirmed one; a retired one since it was retired.
    async fn unconfirmed(&self) -> Result<Vec<Unconfirmed>, Unavailable>;

    /// Waits until something may have become due, here or on another server. A hint: it may come without cause, and
    /// whoever waits must also look by itself from time to time.
    async fn changed(&self);

    /// When the next target becomes due, if any will.
    async fn next_due(&self) -> Result<Option<Timestamp>, Unavailable>;
}
