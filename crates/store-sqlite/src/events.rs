//! Events after they came.

mod prune;
mod replay;
mod row;

use async_trait::async_trait;
use diesel::prelude::*;
use nora_kernel::audit::AuditLine;
use nora_kernel::{AgentId, ChannelId, EventId, Page, PageRequest, Reach, Timestamp, Unavailable};
use nora_webhooks::ports::{EventFilter, EventStore, ReplayRange};
use nora_webhooks::{Event, EventState, StoredEvent};

pub(crate) use row::{StoredEventRow, insert};

use crate::SqliteStore;
use crate::audit::write_line;
use crate::channels;
use crate::events::row::EventRow;
use crate::failure::Ending;
use crate::page::Behind;
use crate::reach::Within;
use crate::schema::{event_bodies, events};
use crate::value::{Id, Time};

const STATES: [EventState; 3] = [EventState::Pending, EventState::Delivered, EventState::Dead];

/// The states that are wanted.
fn states(wanted: Option<EventState>) -> impl Iterator<Item = EventState> {
    STATES.into_iter().filter(move |state| wanted.is_none_or(|wanted| wanted == *state))
}

/// Events of each state are in order in the index; of each, no more than a page is read.
fn list(connection: &mut SqliteConnection, channel: Id, filter: EventFilter, page: PageRequest) -> Ending<Page<Event>> {
    let Behind { at, id } = page.after.into();
    let limit = i64::from(page.limit.get()) + 1;
    let mut listed = Vec::new();
    for state in states(filter.state) {
        let rows: Vec<EventRow> = events::table
            .filter(events::channel_id.eq(channel))
            .filter(events::state.eq(state.as_str()))
            .filter(events::received_at.le(at))
            .filter(events::received_at.lt(at).or(events::id.lt(id)))
            .order((events::received_at.desc(), events::id.desc()))
            .limit(limit)
            .select(EventRow::as_select())
            .load(connection)?;
        for row in rows {
            listed.push(row.event()?);
        }
    }
    listed.sort_by_key(|event| std::cmp::Reverse((event.received_at, event.id)));
    Ok(Page::cut(listed, page.limit, Event::cursor))
}

fn find(connection: &mut SqliteConnection, channel: Id, event: Id) -> Ending<Option<StoredEvent>> {
    let row: Option<StoredEventRow> = events::table
        .inner_join(event_bodies::table.on(event_bodies::event_id.eq(events::id)))
        .filter(events::id.eq(event))
        .filter(events::channel_id.eq(channel))
        .select(StoredEventRow::as_select())
        .get_result(connection)
        .optional()?;
    row.map(StoredEventRow::stored).transpose()
}

#[async_trait]
impl EventStore for SqliteStore {
    async fn list(
        &self,
        reach: &Reach,
        agent: AgentId,
        channel: ChannelId,
        filter: EventFilter,
        page: PageRequest,
    ) -> Result<Option<Page<Event>>, Unavailable> {
        let reach = Within::from(reach);
        let read = move |connection: &mut SqliteConnection| -> Ending<_> {
            connection.transaction(|connection| {
                let there = channels::exists(connection, &reach, agent.into(), channel.into())?;
                there.then(|| list(connection, channel.into(), filter, page)).transpose()
            })
        };
        self.read(read).await
    }

    async fn find(
        &self,
        reach: &Reach,
        agent: AgentId,
        channel: ChannelId,
        event: EventId,
    ) -> Result<Option<StoredEvent>, Unavailable> {
        let reach = Within::from(reach);
        let read = move |connection: &mut SqliteConnection| -> Ending<_> {
            connection.transaction(|connection| {
                let there = channels::exists(connection, &reach, agent.into(), channel.into())?;
                if there { find(connection, channel.into(), event.into()) } else { Ok(None) }
            })
        };
        self.read(read).await
    }

    async fn replay(
        &self,
        reach: &Reach,
        agent: AgentId,
        channel: ChannelId,
        event: EventId,
        line: &AuditLine,
    ) -> Result<bool, Unavailable> {
        let (reach, line) = (Within::from(reach), line.clone());
        self.write(move |transaction| {
            let there = channels::exists(transaction.connection, &reach, agent.into(), channel.into())?;
            let replayed = there && replay::one(transaction, channel.into(), event.into(), Time(line.at))?;
            if replayed {
                write_line(transaction.connection, &line)?;
            }
            Ok(replayed)
        })
        .await
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
        let (reach, line) = (Within::from(reach), line.clone());
        self.write(move |transaction| {
            if !channels::exists(transaction.connection, &reach, agent.into(), channel.into())? {
                return Ok(None);
            }
            let replayed = replay::range(transaction, channel.into(), range, limit, Time(line.at))?;
            write_line(transaction.connection, &line)?;
            Ok(Some(replayed))
        })
        .await
    }

    async fn prune(&self, before: Timestamp, limit: u32) -> Result<u64, Unavailable> {
        self.write(move |transaction| Ok(prune::prune(transaction.connection, Time(before), limit)?)).await
    }
}
