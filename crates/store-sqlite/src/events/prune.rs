//! Deleting what is old, and what removed channels have left.

use diesel::prelude::*;
use diesel::sql_types::BigInt;

use crate::schema::{channels, deliveries, event_bodies, events, lanes};
use crate::statement::Statement;
use crate::value::{Id, Time};

/// `state <> 'pending'` as the index of events that have ended says it.
const OLD: &str = "
    SELECT id FROM events INDEXED BY events_ended
    WHERE state <> 'pending' AND received_at < ?1 ORDER BY received_at LIMIT ?2 + 0
";

/// Lanes that are made for a thing which is over. A channel's own lane stays with the channel.
const IDLE: &str = "
    DELETE FROM lanes WHERE id IN (
        SELECT id FROM lanes INDEXED BY lanes_idle WHERE due_at IS NULL AND ordering_key <> '' ORDER BY id LIMIT ?1 + 0
    )
";

#[derive(QueryableByName)]
#[diesel(check_for_backend(diesel::sqlite::Sqlite))]
struct Old {
    #[diesel(sql_type = diesel::sql_types::Binary)]
    id: Id,
}

pub(super) fn prune(connection: &mut SqliteConnection, before: Time, limit: u32) -> QueryResult<u64> {
    let old: Vec<Old> =
        Statement::new(OLD).bind::<BigInt, _>(before).bind::<BigInt, _>(i64::from(limit)).load(connection)?;
    let old = old.into_iter().map(|row| row.id).collect();
    let pruned = delete(connection, old)?;
    let room = u64::from(limit).saturating_sub(pruned);
    if room == 0 {
        return Ok(pruned);
    }
    let left = clear(connection, i64::try_from(room).unwrap_or(i64::MAX))?;
    Statement::new(IDLE).bind::<BigInt, _>(i64::from(limit)).execute(connection)?;
    Ok(pruned.saturating_add(left))
}

fn delete(connection: &mut SqliteConnection, ids: Vec<Id>) -> QueryResult<u64> {
    let mut deleted = 0;
    for id in ids {
        diesel::delete(event_bodies::table.find(id)).execute(connection)?;
        deleted += diesel::delete(events::table.find(id)).execute(connection)?;
    }
    Ok(u64::try_from(deleted).unwrap_or(u64::MAX))
}

/// Deletes at most `room` events that the first removed channel left, and in the end its row.
fn clear(connection: &mut SqliteConnection, room: i64) -> QueryResult<u64> {
    let removed: Option<Id> = channels::table
        .filter(channels::removed_at.is_not_null())
        .order((channels::removed_at.asc(), channels::id.asc()))
        .select(channels::id)
        .get_result(connection)
        .optional()?;
    let Some(channel) = removed else { return Ok(0) };
    let left = events::table.filter(events::channel_id.eq(channel)).select(events::id).limit(room);
    let left: Vec<Id> = left.load(connection)?;
    let deleted = delete(connection, left)?;
    if clear_lanes(connection, channel, room)? {
        let rest = events::table.filter(events::channel_id.eq(channel));
        let stays: bool = diesel::select(diesel::dsl::exists(rest)).get_result(connection)?;
        if !stays {
            diesel::delete(channels::table.find(channel)).execute(connection)?;
        }
    }
    Ok(deleted)
}

/// Deletes some of a removed channel's lanes and deliveries; says whether none is left.
fn clear_lanes(connection: &mut SqliteConnection, channel: Id, room: i64) -> QueryResult<bool> {
    let found = lanes::table.filter(lanes::channel_id.eq(channel)).select(lanes::id).limit(room);
    let found: Vec<i64> = found.load(connection)?;
    for lane in found {
        let waiting = deliveries::table.filter(deliveries::lane_id.eq(lane));
        let places: Vec<i64> = waiting.select(deliveries::sequence).limit(room).load(connection)?;
        let all = i64::try_from(places.len()).is_ok_and(|count| count < room);
        for place in places {
            diesel::delete(deliveries::table.find((lane, place))).execute(connection)?;
        }
        if !all {
            return Ok(false);
        }
        diesel::delete(lanes::table.find(lane)).execute(connection)?;
    }
    let rest = lanes::table.filter(lanes::channel_id.eq(channel));
    diesel::select(diesel::dsl::not(diesel::dsl::exists(rest))).get_result(connection)
}
