//! Looking at what came in, and asking for it once more.

use nora_kernel::audit::{Action, AuditLine};
use nora_kernel::{AgentId, Caller, ChannelId, EventId, Page, PageRequest, Unavailable};

use crate::ports::{EventFilter, ReplayRange};
use crate::{ChannelError, Channels, Event, StoredEvent};

/// How many events one request replays at most.
pub const MAX_REPLAYED: u32 = 10_000;

/// Why an event was not found or not replayed.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// There is no such channel for this caller.
    #[error("there is no such channel")]
    ChannelNotFound,
    /// The channel has no such event.
    #[error("there is no such event")]
    EventNotFound,
    /// The store could not answer.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl From<ChannelError> for EventError {
    fn from(error: ChannelError) -> Self {
        match error {
            ChannelError::NotFound => Self::ChannelNotFound,
            ChannelError::Unavailable(source) => Self::Unavailable(source),
        }
    }
}

impl Channels {
    /// A channel's events, newest first.
    pub async fn list_events(
        &self,
        caller: &Caller,
        agent: AgentId,
        channel: ChannelId,
        filter: EventFilter,
        page: PageRequest,
    ) -> Result<Page<Event>, EventError> {
        let page = self.events.list(&caller.reach(), agent, channel, filter, page).await?;
        page.ok_or(EventError::ChannelNotFound)
    }

    /// One event with everything that was received.
    pub async fn find_event(
        &self,
        caller: &Caller,
        agent: AgentId,
        channel: ChannelId,
        event: EventId,
    ) -> Result<StoredEvent, EventError> {
        let found = self.events.find(&caller.reach(), agent, channel, event).await?;
        found.ok_or(EventError::EventNotFound)
    }

    /// Delivers an event once more, behind everything that waits in its lane.
    pub async fn replay(
        &self,
        caller: &Caller,
        agent: AgentId,
        channel: ChannelId,
        event: EventId,
    ) -> Result<(), EventError> {
        let line = self.replayed(caller, agent, channel).await?;
        let there = self.events.replay(&caller.reach(), agent, channel, event, &line).await?;
        if there { Ok(()) } else { Err(EventError::EventNotFound) }
    }

    /// Delivers a range of events once more, oldest first; says how many. At most [`MAX_REPLAYED`], the oldest.
    pub async fn replay_range(
        &self,
        caller: &Caller,
        agent: AgentId,
        channel: ChannelId,
        range: ReplayRange,
    ) -> Result<u64, EventError> {
        let line = self.replayed(caller, agent, channel).await?;
        let count = self.events.replay_range(&caller.reach(), agent, channel, range, MAX_REPLAYED, &line).await?;
        count.ok_or(EventError::ChannelNotFound)
    }

    async fn replayed(&self, caller: &Caller, agent: AgentId, channel: ChannelId) -> Result<AuditLine, EventError> {
        let (stored, _) = self.stored(caller, agent, channel).await?;
        Ok(self.lines().change(caller, &stored.workspace, Action::EventsReplayed, agent, channel))
    }
}
