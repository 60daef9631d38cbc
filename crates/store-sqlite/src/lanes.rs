//! Lanes and their deliveries, as the inbox, replays and workers share them.
//!
//! The row of a lane stands for its first delivery: when that is due, who has it and until when, and how often it was
//! tried.

use std::ops::RangeInclusive;

use diesel::prelude::*;

use crate::schema::{deliveries, lanes, receipts};
use crate::statement::Kept;
use crate::value::{Id, Time};
use crate::writer::Transaction;

/// Which lane, and what its row is made with.
pub(crate) struct Lane<'a> {
    pub(crate) channel: Id,
    pub(crate) ordering_key: &'a str,
    pub(crate) agent: Id,
    pub(crate) paused: bool,
}

/// Draws places behind all there are, for as many deliveries. One that is not used is missed by nobody.
pub(crate) fn places(connection: &mut SqliteConnection, count: u32) -> QueryResult<RangeInclusive<i64>> {
    let count = i64::from(count);
    let last: i64 = Kept(
        diesel::update(receipts::table.find(1_i64))
            .set(receipts::last.eq(receipts::last + count))
            .returning(receipts::last),
    )
    .get_result(connection)?;
    Ok(last - count + 1..=last)
}

/// Puts a delivery into a lane, at a place that was drawn. The lane is due at `since` unless it was before.
pub(crate) fn queue(
    transaction: &mut Transaction<'_>,
    lane: &Lane<'_>,
    (event, sequence): (Id, i64),
    replay: bool,
    since: Time,
) -> QueryResult<()> {
    transaction.tell_delivery();
    let connection = &mut *transaction.connection;
    let lane_id = lane_id(connection, lane, since)?;
    let delivery = (
        deliveries::lane_id.eq(lane_id),
        deliveries::sequence.eq(sequence),
        deliveries::event_id.eq(event),
        deliveries::replay.eq(replay),
    );
    diesel::insert_into(deliveries::table).values(delivery).execute(connection).map(drop)
}

/// The lane's row, made if there is none, and due.
fn lane_id(connection: &mut SqliteConnection, lane: &Lane<'_>, since: Time) -> QueryResult<i64> {
    let found: Option<(i64, Option<Time>)> = lanes::table
        .filter(lanes::channel_id.eq(lane.channel))
        .filter(lanes::ordering_key.eq(lane.ordering_key))
        .select((lanes::id, lanes::due_at))
        .get_result(connection)
        .optional()?;
    match found {
        Some((id, Some(_))) => Ok(id),
        Some((id, None)) => {
            Kept(diesel::update(lanes::table.find(id)).set(lanes::due_at.eq(Some(since)))).execute(connection)?;
            Ok(id)
        }
        None => {
            let row = (
                lanes::channel_id.eq(lane.channel),
                lanes::ordering_key.eq(lane.ordering_key),
                lanes::agent_id.eq(lane.agent),
                lanes::paused.eq(lane.paused),
                lanes::due_at.eq(Some(since)),
            );
            diesel::insert_into(lanes::table).values(row).returning(lanes::id).get_result(connection)
        }
    }
}

/// The first delivery of a lane.
#[derive(Queryable, Selectable)]
#[diesel(table_name = deliveries, check_for_backend(diesel::sqlite::Sqlite))]
pub(crate) struct First {
    pub(crate) sequence: i64,
    pub(crate) event_id: Id,
    pub(crate) replay: bool,
}

pub(crate) fn first(connection: &mut SqliteConnection, lane: i64) -> QueryResult<Option<First>> {
    deliveries::table
        .filter(deliveries::lane_id.eq(lane))
        .order(deliveries::sequence.asc())
        .select(First::as_select())
        .get_result(connection)
        .optional()
}
