//! Events after they came.

mod prune;
mod read;
mod replay;
mod row;

use async_trait::async_trait;
use nora_kernel::audit::AuditLine;
use nora_kernel::{AgentId, ChannelId, EventId, Page, PageRequest, Reach, Timestamp, Unavailable};
use nora_webhooks::ports::{EventFilter, EventStore, ReplayRange};
use nora_webhooks::{Event, StoredEvent};

pub(crate) use row::{StoredEventRow, event_columns, stored_event_columns};

use crate::store::PostgresStore;

#[async_trait]
impl EventStore for PostgresStore {
    async fn list(
        &self,
        reach: &Reach,
        agent: AgentId,
        channel: ChannelId,
        filter: EventFilter,
        page: PageRequest,
    ) -> Result<Option<Page<Event>>, Unavailable> {
        Ok(read::list(self, reach, agent, channel, filter, page).await?)
    }

    async fn find(
        &self,
        reach: &Reach,
        agent: AgentId,
        channel: ChannelId,
        event: EventId,
    ) -> Result<Option<StoredEvent>, Unavailable> {
        Ok(read::find(self, reach, agent, channel, event).await?)
    }

    async fn replay(
        &self,
        reach: &Reach,
        agent: AgentId,
        channel: ChannelId,
        event: EventId,
        line: &AuditLine,
    ) -> Result<bool, Unavailable> {
        Ok(replay::one(self, reach, agent, channel, event, line).await?)
    }

    async fn replay_range(
        &self,
        reach: &Reach,
        agent: AgentId,
        channel: ChannelId,
        range: ReplayRange,
        limit: u32,
        line: &AuditLine,
    ) -> Result<Option<u64>, Unavailable> {
        Ok(replay::range(self, reach, agent, channel, range, limit, line).await?)
    }

    async fn prune(&self, before: Timestamp, limit: u32) -> Result<u64, Unavailable> {
        Ok(prune::prune(self, before, limit).await?)
    }
}
