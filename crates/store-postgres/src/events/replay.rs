//! Delivering events once more.

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Bool};
use nora_kernel::audit::AuditLine;
use nora_kernel::{AgentId, ChannelId, EventId, Reach, Timestamp};
use nora_webhooks::EventState;
use nora_webhooks::ports::ReplayRange;

use super::read::of_channel;
use crate::audit::{insert_line, with_line};
use crate::channels::locked_channel;
use crate::error::StoreError;
use crate::rows::count;
use crate::signals::Topic;
use crate::statement::Statement;
use crate::store::PostgresStore;

/// Queues deliveries of what `wanted` holds: channel and lanes are locked as for what comes in, and the events' places
/// are drawn after that. An event with a replay that was not begun keeps that one's place.
macro_rules! queue {
    () => {
        "lane AS (INSERT INTO lanes (channel_id, ordering_key, agent_id, paused, due_at, added) \
         SELECT open.id, wanted.ordering_key, open.agent_id, open.paused, $2, nextval('receipts') FROM open, wanted \
         GROUP BY open.id, wanted.ordering_key, open.agent_id, open.paused ORDER BY wanted.ordering_key \
         ON CONFLICT (channel_id, ordering_key) \
         DO UPDATE SET added = nextval('receipts'), due_at = coalesce(lanes.due_at, excluded.due_at) \
         RETURNING id, ordering_key), \
         placed AS MATERIALIZED (SELECT wanted.id, nextval('receipts') AS sequence \
         FROM wanted, (SELECT count(*) FROM lane) AS locked ORDER BY wanted.place), \
         marked AS (UPDATE events SET state = 'pending', replayed = true, \
         queued = queued + CASE WHEN replay_sequence IS NULL THEN 1 ELSE 0 END, \
         replay_sequence = coalesce(replay_sequence, placed.sequence) FROM placed WHERE events.id = placed.id \
         RETURNING events.id, events.ordering_key, events.replay_sequence), \
         queued AS (INSERT INTO deliveries (lane_id, sequence, event_id, replay) \
         SELECT lane.id, marked.replay_sequence, marked.id, true FROM marked \
         JOIN lane ON lane.ordering_key = marked.ordering_key ON CONFLICT (lane_id, sequence) DO NOTHING) "
    };
}

const ONE: &str = concat!(
    "WITH open AS MATERIALIZED (",
    locked_channel!("$13", "$14", "$15"),
    "), wanted AS MATERIALIZED (SELECT events.id, events.ordering_key, 1 AS place FROM open \
     JOIN events ON events.channel_id = open.id WHERE events.id = $16), ",
    queue!(),
    ", audited AS (",
    insert_line!(),
    "marked) SELECT true AS open, count(*) AS queued FROM marked"
);

macro_rules! in_state {
    ($state:literal) => {
        concat!(
            "(SELECT events.id, events.ordering_key, events.received_at FROM open \
             JOIN events ON events.channel_id = open.id WHERE events.state = '",
            $state,
            "' AND ($16 IS NULL OR $16 = '",
            $state,
            "') AND events.received_at >= $17 AND events.received_at < $18 \
             ORDER BY events.received_at, events.id LIMIT $19)"
        )
    };
}

const RANGE: &str = concat!(
    "WITH open AS MATERIALIZED (",
    locked_channel!("$13", "$14", "$15"),
    "), wanted AS MATERIALIZED (SELECT id, ordering_key, row_number() OVER (ORDER BY received_at, id) AS place FROM (",
    in_state!("pending"),
    " UNION ALL ",
    in_state!("delivered"),
    " UNION ALL ",
    in_state!("dead"),
    ") AS event ORDER BY received_at, id LIMIT $19), ",
    queue!(),
    ", audited AS (",
    insert_line!(),
    "open) SELECT EXISTS (SELECT FROM open) AS open, count(*) AS queued FROM marked"
);

#[derive(QueryableByName)]
struct Replayed {
    /// Whether there is such a channel.
    #[diesel(sql_type = Bool)]
    open: bool,
    /// Of how many events a replay waits now.
    #[diesel(sql_type = BigInt)]
    queued: i64,
}

pub(super) async fn one(
    store: &PostgresStore,
    reach: &Reach,
    agent: AgentId,
    channel: ChannelId,
    event: EventId,
    line: &AuditLine,
) -> Result<bool, StoreError> {
    let replay = of_channel(with_line(ONE, line), reach, agent, channel).uuid(event.as_uuid());
    Ok(run(store, replay).await?.is_some_and(|queued| queued > 0))
}

pub(super) async fn range(
    store: &PostgresStore,
    reach: &Reach,
    agent: AgentId,
    channel: ChannelId,
    range: ReplayRange,
    limit: u32,
    line: &AuditLine,
) -> Result<Option<u64>, StoreError> {
    let replay = of_channel(with_line(RANGE, line), reach, agent, channel)
        .optional_text(range.state.map(EventState::as_str))
        .number(range.from.map_or(i64::MIN, Timestamp::as_microseconds))
        .number(range.to.map_or(i64::MAX, Timestamp::as_microseconds))
        .number(limit.into());
    run(store, replay).await
}

async fn run(store: &PostgresStore, replay: Statement) -> Result<Option<u64>, StoreError> {
    let rows = store.write::<Replayed>(replay).await?;
    let Some(replayed) = rows.first().filter(|row| row.open) else { return Ok(None) };
    if replayed.queued > 0 {
        store.signals.announce(Topic::Delivery);
    }
    count("deliveries", replayed.queued).map(Some)
}
