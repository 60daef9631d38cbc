//! Where the deliveries of events are queued.

use std::time::Duration;

use async_trait::async_trait;
use nora_agents::Target;
use nora_kernel::{AgentId, ChannelId, EventId, Timestamp, Unavailable, WrappedKey};

use super::DeliveryFailureClass;
use crate::{ChannelType, StoredEvent, Verdict};

/// A lease on a delivery: the right of one worker to make its next attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryClaim {
    /// The delivery's place in the order of receipt, which names it.
    pub sequence: i64,
    /// What is delivered.
    pub event: EventId,
    /// The channel it came in by.
    pub channel: ChannelId,
    /// To whom.
    pub agent: AgentId,
    /// Whether somebody asked for the event once more.
    pub replay: bool,
    /// Grows with each claim of this delivery. A worker with an older number can change nothing.
    pub fence: i64,
    /// How many attempts of this delivery were begun, this one included.
    pub attempt: u32,
    /// When the first of them was begun.
    pub begun_at: Timestamp,
}

/// Everything one attempt needs, as of one moment.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// The event.
    pub event: StoredEvent,
    /// The type of its channel.
    pub kind: ChannelType,
    /// The agent's live target.
    pub target: Target,
    /// The agent's data key.
    pub key: WrappedKey,
}

/// Whether a worker still held its lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// It did, and what it asked for was done.
    Yes,
    /// It did not, and nothing was changed.
    No,
}

/// Why an attempt failed, and what follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeliveryFailure {
    /// Its class.
    pub class: DeliveryFailureClass,
    /// When to try again; `None` gives the delivery up: the event is dead, and its lane goes on.
    pub next_attempt_at: Option<Timestamp>,
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryEnd {
    /// The runtime has it.
    Delivered,
    /// It does not, as far as anybody knows.
    Failed(DeliveryFailure),
}

/// How far delivery is behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Backlog {
    /// When the oldest event came whose delivery has not ended.
    pub oldest: Option<Timestamp>,
    /// How many deliveries have not ended; counting may stop at 100,000.
    pub waiting: u64,
    /// How many events are dead; counting may stop at 100,000.
    pub dead: u64,
}

/// Keeps the queue of deliveries.
///
/// A lane is the deliveries of one (channel, ordering key), in order of receipt; a replay stands at its end. Only the
/// first of a lane that has not ended (delivered or given up) is ever claimed, also while it waits for its next
/// attempt; lanes of paused channels and of deleted agents wait.
///
/// A lease belongs to the server that claimed it. A lease left by an earlier run of the same server counts as run
/// out.
#[async_trait]
pub trait DeliveryStore: Send + Sync {
    /// Claims at most `limit` deliveries that are due at `now` and on which nobody holds a running lease, the longest
    /// due first; at most `per_agent` for one agent, and none for those in `busy`.
    ///
    /// It may find fewer than there are: none only where others are claiming at the same moment, or nothing is due. The
    /// attempt is counted here, so that one that kills the process counts too.
    async fn claim(
        &self,
        limit: u16,
        per_agent: u16,
        busy: &[AgentId],
        lease: Duration,
        now: Timestamp,
    ) -> Result<Vec<DeliveryClaim>, Unavailable>;

    /// Everything the attempt needs; `None` if the lease was lost, or the channel or agent is gone.
    async fn fetch(&self, claim: &DeliveryClaim) -> Result<Option<Delivery>, Unavailable>;

    /// Makes the lease last until `until`.
    async fn renew(&self, claim: &DeliveryClaim, until: Timestamp) -> Result<Held, Unavailable>;

    /// Gives leases back unused, so that another worker can claim the deliveries at once.
    async fn release(&self, claims: &[DeliveryClaim]) -> Result<(), Unavailable>;

    /// Records how an attempt ended, at `at`, and ends the lease.
    ///
    /// `verdict` replaces the event's: a replay has been verified again. The state, attempts and last error of the
    /// event say the same as the queue from the same transaction on. When the delivery has ended, the next of its lane
    /// is due at once.
    async fn end(
        &self,
        claim: &DeliveryClaim,
        end: DeliveryEnd,
        verdict: Option<Verdict>,
        at: Timestamp,
    ) -> Result<Held, Unavailable>;

    /// Waits until something may have become due, here or on another server. A hint: it may come without cause, and
    /// whoever waits must also look by itself from time to time.
    async fn changed(&self);

    /// When the next delivery becomes due, if any will.
    async fn next_due(&self) -> Result<Option<Timestamp>, Unavailable>;

    /// How far delivery is behind. Cheap, however long the queue is.
    async fn backlog(&self) -> Result<Backlog, Unavailable>;
}
