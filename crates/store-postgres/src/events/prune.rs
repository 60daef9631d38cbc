//! Deleting what is old, and what removed channels have left.

use diesel_async::{AsyncConnection as _, AsyncPgConnection};
use futures_util::FutureExt as _;
use nora_kernel::Timestamp;

use crate::error::StoreError;
use crate::rows::Number;
use crate::statement::Statement;
use crate::store::PostgresStore;

/// Deletes the events that `old` holds the ids of, and says how many.
macro_rules! delete_events {
    () => {
        "gone AS (DELETE FROM events WHERE id = ANY (ARRAY(SELECT id FROM old)) RETURNING id), \
         bodies AS (DELETE FROM event_bodies WHERE event_id = ANY (ARRAY(SELECT id FROM gone))) \
         SELECT count(*) AS value FROM gone"
    };
}

/// In small batches, and around what somebody else works on.
const OLD: &str = concat!(
    "WITH old AS MATERIALIZED (SELECT id FROM events WHERE state <> 'pending' AND received_at < $1 \
     ORDER BY received_at LIMIT $2 FOR UPDATE SKIP LOCKED), ",
    delete_events!()
);

/// The channel that was removed first. Whoever deletes what it left keeps others from the same work.
macro_rules! removed {
    () => {
        "WITH removed AS MATERIALIZED (SELECT id FROM channels WHERE removed_at IS NOT NULL \
         ORDER BY removed_at, id LIMIT 1 FOR UPDATE SKIP LOCKED), "
    };
}

const OF_REMOVED: &str = concat!(
    removed!(),
    "old AS MATERIALIZED (SELECT events.id FROM removed JOIN events ON events.channel_id = removed.id LIMIT $1), ",
    delete_events!()
);

/// An event can have left a few deliveries.
const DELIVERIES: &str = concat!(
    removed!(),
    "old AS MATERIALIZED (SELECT deliveries.lane_id, deliveries.sequence FROM removed \
     JOIN lanes ON lanes.channel_id = removed.id JOIN deliveries ON deliveries.lane_id = lanes.id LIMIT $1 * 4), \
     gone AS (DELETE FROM deliveries USING old WHERE deliveries.lane_id = old.lane_id \
     AND deliveries.sequence = old.sequence RETURNING 1) \
     SELECT count(*) AS value FROM gone"
);

const LANES: &str = concat!(
    removed!(),
    "gone AS (DELETE FROM lanes WHERE id = ANY (ARRAY(SELECT lanes.id FROM removed \
     JOIN lanes ON lanes.channel_id = removed.id WHERE NOT EXISTS (SELECT FROM deliveries \
     WHERE deliveries.lane_id = lanes.id) LIMIT $1 FOR UPDATE OF lanes SKIP LOCKED)) RETURNING 1) \
     SELECT count(*) AS value FROM gone"
);

const CHANNEL: &str = concat!(
    removed!(),
    "gone AS (DELETE FROM channels USING removed WHERE channels.id = removed.id AND $1 > 0 \
     AND NOT EXISTS (SELECT FROM lanes WHERE lanes.channel_id = removed.id) \
     AND NOT EXISTS (SELECT FROM events WHERE events.channel_id = removed.id) RETURNING 1) \
     SELECT count(*) AS value FROM gone"
);

/// Lanes that are made for a thing which is over. A channel's own lane stays with the channel.
const IDLE: &str = "\
    WITH gone AS (DELETE FROM lanes WHERE id = ANY (ARRAY(SELECT id FROM lanes \
    WHERE due_at IS NULL AND ordering_key <> '' ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED)) RETURNING 1) \
    SELECT count(*) AS value FROM gone";

pub(super) async fn prune(store: &PostgresStore, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
    let old = Statement::new(OLD).number(before.as_microseconds()).number(limit.into());
    let old = one(&store.write::<Number>(old).await?);
    let room = u64::from(limit).saturating_sub(old);
    if room == 0 {
        return Ok(old);
    }
    let room = i64::try_from(room).unwrap_or(i64::MAX);
    let left = store.work(move |connection| clear(connection, room, limit).boxed()).await?;
    Ok(old.saturating_add(left))
}

/// Deletes a part of what the first removed channel left, and in the end its row.
async fn clear(connection: &mut AsyncPgConnection, room: i64, limit: u32) -> Result<u64, StoreError> {
    connection
        .transaction(async |connection| {
            let events = Statement::new(OF_REMOVED).number(room).load::<Number>(connection).await?;
            for statement in [DELIVERIES, LANES, CHANNEL, IDLE] {
                Statement::new(statement).number(limit.into()).load::<Number>(connection).await?;
            }
            Ok(one(&events))
        })
        .await
}

fn one(rows: &[Number]) -> u64 {
    rows.first().and_then(|row| u64::try_from(row.value).ok()).unwrap_or_default()
}
