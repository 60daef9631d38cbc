//! Where events are looked at afterwards.

use async_trait::async_trait;
use nora_kernel::audit::AuditLine;
use nora_kernel::{AgentId, ChannelId, EventId, Page, PageRequest, Reach, Timestamp, Unavailable};

use crate::{Event, EventState, StoredEvent};

/// Which events of a channel are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EventFilter {
    /// Only those in this state.
    pub state: Option<EventState>,
}

/// Which events of a channel are replayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReplayRange {
    /// Only those in this state.
    pub state: Option<EventState>,
    /// Only those received at this time or later.
    pub from: Option<Timestamp>,
    /// Only those received before this time.
    pub to: Option<Timestamp>,
}

/// Keeps events after they came.
///
/// Events of a channel outside the caller's reach are absent.
#[async_trait]
pub trait EventStore: Send + Sync {
    /// A channel's events, newest first; `None` if there is no such channel within `reach`.
    async fn list(
        &self,
        reach: &Reach,
        agent: AgentId,
        channel: ChannelId,
        filter: EventFilter,
        page: PageRequest,
    ) -> Result<Option<Page<Event>>, Unavailable>;

    /// One event with everything that was received.
    async fn find(
        &self,
        reach: &Reach,
        agent: AgentId,
        channel: ChannelId,
        event: EventId,
    ) -> Result<Option<StoredEvent>, Unavailable>;

    /// Queues one more delivery of an event, labelled a replay, at the end of its lane, due at once, in one
    /// transaction with the audit line; says whether there is such an event.
    ///
    /// It follows a delivery of the event that is under way or waits. A replay of it that has not been begun yet
    /// counts for this one too. The event is pending until the replay has ended.
    async fn replay(
        &self,
        reach: &Reach,
        agent: AgentId,
        channel: ChannelId,
        event: EventId,
        line: &AuditLine,
    ) -> Result<bool, Unavailable>;

    /// The same for a range of a channel's events, oldest first, in one transaction; says how many deliveries were
    /// queued or counted for, `None` if there is no such channel within `reach`. At most `limit`, the oldest.
    async fn replay_range(
        &self,
        reach: &Reach,
        agent: AgentId,
        channel: ChannelId,
        range: ReplayRange,
        limit: u32,
        line: &AuditLine,
    ) -> Result<Option<u64>, Unavailable>;

    /// Deletes at most `limit` events that were received before `before` and whose deliveries have ended, or whose
    /// channel is gone, oldest first; says how many. A deleted event's dedupe key can be claimed again.
    async fn prune(&self, before: Timestamp, limit: u32) -> Result<u64, Unavailable>;
}
