//! Delivering events once more.

use diesel::prelude::*;
use nora_kernel::Timestamp;
use nora_webhooks::EventState;
use nora_webhooks::ports::ReplayRange;

use super::states;
use crate::channels;
use crate::lanes::{Lane, places, queue};
use crate::schema::events;
use crate::value::{Id, Time};
use crate::writer::Transaction;

/// Queues a replay of an event of the channel, unless one waits that was not begun; says whether there is such an
/// event.
pub(super) fn one(transaction: &mut Transaction<'_>, channel: Id, event: Id, at: Time) -> QueryResult<bool> {
    let found: Option<(String, Option<i64>)> = events::table
        .filter(events::id.eq(event))
        .filter(events::channel_id.eq(channel))
        .select((events::ordering_key, events::replay_sequence))
        .get_result(transaction.connection)
        .optional()?;
    let (Some((ordering_key, waiting)), Some((agent, paused))) =
        (found, channels::of_event(transaction.connection, channel)?)
    else {
        return Ok(false);
    };
    if waiting.is_none() {
        let lane = Lane { channel, ordering_key: &ordering_key, agent, paused };
        let sequence = *places(transaction.connection, 1)?.start();
        queue(transaction, &lane, (event, sequence), true, at)?;
        diesel::update(events::table.find(event))
            .set((
                events::state.eq(EventState::Pending.as_str()),
                events::queued.eq(events::queued + 1_i64),
                events::replay_sequence.eq(Some(sequence)),
                events::replayed.eq(true),
            ))
            .execute(transaction.connection)?;
    }
    Ok(true)
}

pub(super) fn range(
    transaction: &mut Transaction<'_>,
    channel: Id,
    range: ReplayRange,
    limit: u32,
    at: Time,
) -> QueryResult<u64> {
    let mut replayed = 0;
    for event in oldest(transaction.connection, channel, range, limit)? {
        replayed += u64::from(one(transaction, channel, event, at)?);
    }
    Ok(replayed)
}

/// The events of a range, oldest first.
fn oldest(connection: &mut SqliteConnection, channel: Id, range: ReplayRange, limit: u32) -> QueryResult<Vec<Id>> {
    let from = range.from.unwrap_or(Timestamp::from_microseconds(i64::MIN));
    let to = range.to.unwrap_or(Timestamp::from_microseconds(i64::MAX));
    let mut found: Vec<(Time, Id)> = Vec::new();
    for state in states(range.state) {
        let rows: Vec<(Time, Id)> = events::table
            .filter(events::channel_id.eq(channel))
            .filter(events::state.eq(state.as_str()))
            .filter(events::received_at.ge(Time(from)))
            .filter(events::received_at.lt(Time(to)))
            .order((events::received_at.asc(), events::id.asc()))
            .limit(limit.into())
            .select((events::received_at, events::id))
            .load(connection)?;
        found.extend(rows);
    }
    found.sort_by_key(|(at, id)| (*at, id.0));
    Ok(found.into_iter().map(|(_, id)| id).take(usize::try_from(limit).unwrap_or(usize::MAX)).collect())
}
