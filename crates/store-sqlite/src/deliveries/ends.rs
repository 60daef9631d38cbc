//! How attempts end.

use diesel::prelude::*;
use nora_webhooks::ports::{DeliveryClaim, DeliveryEnd, DeliveryFailure, DeliveryFailureClass, Held};
use nora_webhooks::{EventState, Verdict};

use super::held;
use crate::lanes::first;
use crate::schema::{deliveries, events, lanes};
use crate::value::{Id, Time};
use crate::writer::Transaction;

pub(super) fn end(
    transaction: &mut Transaction<'_>,
    claim: &DeliveryClaim,
    end: DeliveryEnd,
    verdict: Option<Verdict>,
    at: Time,
) -> QueryResult<Held> {
    let Some(lane) = held(transaction.connection, claim)? else { return Ok(Held::No) };
    let (state, due_at, error) = match end {
        DeliveryEnd::Delivered => (Some(EventState::Delivered), at, None),
        DeliveryEnd::Failed(DeliveryFailure { class, next_attempt_at: Some(next) }) => (None, Time(next), Some(class)),
        DeliveryEnd::Failed(DeliveryFailure { class, next_attempt_at: None }) => {
            (Some(EventState::Dead), at, Some(class))
        }
    };
    if let Some(state) = state {
        let delivery = deliveries::table.find((lane, claim.sequence));
        diesel::delete(delivery).execute(transaction.connection)?;
        settle(transaction.connection, Id::from(claim.event), state)?;
    }
    let goes_on = state.is_none() || first(transaction.connection, lane)?.is_some();
    diesel::update(lanes::table.find(lane))
        .set((
            lanes::due_at.eq(goes_on.then_some(due_at)),
            lanes::lease_until.eq(None::<Time>),
            lanes::lease_owner.eq(None::<Id>),
        ))
        .execute(transaction.connection)?;
    if goes_on {
        transaction.tell_delivery();
    }
    report(transaction.connection, Id::from(claim.event), error, verdict)?;
    Ok(Held::Yes)
}

/// One delivery of the event has ended. The last one says what state it is in.
fn settle(connection: &mut SqliteConnection, event: Id, state: EventState) -> QueryResult<()> {
    let last = events::table.filter(events::id.eq(event)).filter(events::queued.le(1_i64));
    let ended =
        diesel::update(last).set((events::queued.eq(0_i64), events::state.eq(state.as_str()))).execute(connection)?;
    if ended == 0 {
        let event = diesel::update(events::table.find(event));
        event.set(events::queued.eq(events::queued - 1_i64)).execute(connection)?;
    }
    Ok(())
}

fn report(
    connection: &mut SqliteConnection,
    event: Id,
    error: Option<DeliveryFailureClass>,
    verdict: Option<Verdict>,
) -> QueryResult<()> {
    let row = events::table.find(event);
    let error = error.map(DeliveryFailureClass::as_str);
    diesel::update(row).set(events::last_error.eq(error)).execute(connection)?;
    match verdict {
        Some(verdict) => diesel::update(row).set(events::verdict.eq(verdict.as_str())).execute(connection).map(drop),
        None => Ok(()),
    }
}
