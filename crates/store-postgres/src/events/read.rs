//! Finding events.

use diesel::QueryableByName;
use nora_kernel::{AgentId, ChannelId, EventId, Page, PageRequest, Reach};
use nora_webhooks::ports::EventFilter;
use nora_webhooks::{Event, EventState, StoredEvent};

use super::row::{EventRow, StoredEventRow};
use super::{event_columns, stored_event_columns};
use crate::channels::open_channel;
use crate::error::StoreError;
use crate::pages::{behind, one_more};
use crate::rows::workspace_of;
use crate::statement::Statement;
use crate::store::PostgresStore;

/// Events of each state are in order in the index; of each, no more than a page is read.
macro_rules! in_state {
    ($state:literal) => {
        concat!(
            "(SELECT * FROM events WHERE channel_id = $3 AND state = '",
            $state,
            "' AND ($4 IS NULL OR $4 = '",
            $state,
            "') AND received_at <= $5 AND (received_at < $5 OR id < $6) \
             ORDER BY received_at DESC, id DESC LIMIT $7)"
        )
    };
}

/// A row without an event shows a channel that has none.
const LIST: &str = concat!(
    "WITH page AS MATERIALIZED (",
    in_state!("pending"),
    " UNION ALL ",
    in_state!("delivered"),
    " UNION ALL ",
    in_state!("dead"),
    ") SELECT ",
    event_columns!(),
    " FROM (",
    open_channel!("$1", "$2", "$3"),
    ") AS channel LEFT JOIN page AS event ON event.channel_id = channel.id \
     ORDER BY event.received_at DESC, event.id DESC LIMIT $7"
);

const FIND: &str = concat!(
    "SELECT ",
    stored_event_columns!(),
    " FROM (",
    open_channel!("$1", "$2", "$3"),
    ") AS channel JOIN events AS event ON event.channel_id = channel.id \
     JOIN event_bodies AS body ON body.event_id = event.id WHERE event.id = $4"
);

#[derive(QueryableByName)]
struct Listed {
    #[diesel(embed)]
    event: Option<EventRow>,
}

/// A statement about an agent's channel within a reach: its first three parameters.
pub(super) fn of_channel(statement: Statement, reach: &Reach, agent: AgentId, channel: ChannelId) -> Statement {
    statement.uuid(agent.as_uuid()).optional_text(workspace_of(reach)).uuid(channel.as_uuid())
}

pub(super) async fn list(
    store: &PostgresStore,
    reach: &Reach,
    agent: AgentId,
    channel: ChannelId,
    filter: EventFilter,
    page: PageRequest,
) -> Result<Option<Page<Event>>, StoreError> {
    let (at, id) = behind(page.after);
    let list = of_channel(Statement::new(LIST), reach, agent, channel)
        .optional_text(filter.state.map(EventState::as_str))
        .number(at)
        .uuid(id)
        .number(one_more(page));
    let rows = store.select::<Listed>(list).await?;
    if rows.is_empty() {
        return Ok(None);
    }
    let events = rows.into_iter().filter_map(|row| row.event).map(EventRow::event).collect::<Result<_, _>>()?;
    Ok(Some(Page::cut(events, page.limit, Event::cursor)))
}

pub(super) async fn find(
    store: &PostgresStore,
    reach: &Reach,
    agent: AgentId,
    channel: ChannelId,
    event: EventId,
) -> Result<Option<StoredEvent>, StoreError> {
    let find = of_channel(Statement::new(FIND), reach, agent, channel).uuid(event.as_uuid());
    store.select::<StoredEventRow>(find).await?.into_iter().next().map(StoredEventRow::stored).transpose()
}
