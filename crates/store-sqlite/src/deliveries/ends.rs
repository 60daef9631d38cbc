//! How attempts end.

use diesel::prelude::*;
use diesel::sql_types::{Binary, Nullable, Text};
use nora_webhooks::ports::{DeliveryClaim, DeliveryEnd, DeliveryFailure, DeliveryFailureClass, Held};
use nora_webhooks::{EventState, Verdict};

use super::held;
use crate::lanes::first;
use crate::schema::{deliveries, lanes};
use crate::statement::{Kept, Statement};
use crate::value::{Id, Time};
use crate::writer::Transaction;

/// One delivery of an event has ended. The last one says what state it is in.
const ENDED: &str = "
    UPDATE events SET state = iif(queued <= 1, ?1, state), queued = max(queued - 1, 0),
        last_error = ?3, verdict = coalesce(?4, verdict)
    WHERE id = ?2
";
const FAILED: &str = "UPDATE events SET last_error = ?2, verdict = coalesce(?3, verdict) WHERE id = ?1";

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
    if state.is_some() {
        let delivery = deliveries::table.find((lane, claim.sequence));
        diesel::delete(delivery).execute(transaction.connection)?;
    }
    report(transaction.connection, Id::from(claim.event), state, error, verdict)?;
    let goes_on = state.is_none() || first(transaction.connection, lane)?.is_some();
    Kept(diesel::update(lanes::table.find(lane)).set((
        lanes::due_at.eq(goes_on.then_some(due_at)),
        lanes::lease_until.eq(None::<Time>),
        lanes::lease_owner.eq(None::<Id>),
    )))
    .execute(transaction.connection)?;
    if goes_on {
        transaction.tell_delivery();
    }
    Ok(Held::Yes)
}

fn report(
    connection: &mut SqliteConnection,
    event: Id,
    state: Option<EventState>,
    error: Option<DeliveryFailureClass>,
    verdict: Option<Verdict>,
) -> QueryResult<()> {
    let statement = match state {
        Some(state) => Statement::new(ENDED).bind::<Text, _>(state.as_str()),
        None => Statement::new(FAILED),
    };
    statement
        .bind::<Binary, _>(event)
        .bind::<Nullable<Text>, _>(error.map(DeliveryFailureClass::as_str))
        .bind::<Nullable<Text>, _>(verdict.map(Verdict::as_str))
        .execute(connection)
        .map(drop)
}
