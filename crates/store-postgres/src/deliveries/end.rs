//! How attempts end.

use diesel::QueryableByName;
use diesel::sql_types::Bool;
use nora_kernel::Timestamp;
use nora_webhooks::ports::{DeliveryClaim, DeliveryEnd, DeliveryFailure, Held};
use nora_webhooks::{EventState, Verdict};

use super::{lease, of_lease};
use crate::error::StoreError;
use crate::signals::Topic;
use crate::store::PostgresStore;

/// `$4` is the state in which the delivery leaves the event, null while it is to be tried again, and `$5` when what is
/// first in the lane then is due.
///
/// What was added to the lane since this statement began cannot be seen by it; that something was can, because the
/// lane's row is read again once it is locked.
const END: &str = concat!(
    "WITH lane AS (UPDATE lanes SET lease_until = NULL, lease_owner = NULL, \
     ended = CASE WHEN $4 IS NULL THEN lanes.ended ELSE $2 END, \
     due_at = CASE WHEN $4 IS NULL OR lanes.added > $2 OR EXISTS (SELECT FROM deliveries \
     WHERE deliveries.lane_id = lanes.id AND deliveries.sequence > $2) THEN $5 END \
     FROM events AS event WHERE ",
    of_lease!(),
    " RETURNING lanes.id, lanes.due_at IS NOT NULL AS goes_on), \
     gone AS (DELETE FROM deliveries USING lane WHERE $4 IS NOT NULL AND deliveries.lane_id = lane.id \
     AND deliveries.sequence = $2), \
     told AS (UPDATE events SET last_error = $6, verdict = coalesce($7, verdict), \
     queued = CASE WHEN $4 IS NULL THEN queued ELSE queued - 1 END, \
     state = CASE WHEN $4 IS NULL OR queued > 1 THEN state ELSE $4 END \
     FROM lane WHERE events.id = $1) \
     SELECT goes_on FROM lane"
);

#[derive(QueryableByName)]
struct Ended {
    /// Whether the lane has more to deliver.
    #[diesel(sql_type = Bool)]
    goes_on: bool,
}

pub(super) async fn end(
    store: &PostgresStore,
    claim: &DeliveryClaim,
    end: DeliveryEnd,
    verdict: Option<Verdict>,
    at: Timestamp,
) -> Result<Held, StoreError> {
    let (state, due_at, error) = match end {
        DeliveryEnd::Delivered => (Some(EventState::Delivered), at, None),
        DeliveryEnd::Failed(DeliveryFailure { class, next_attempt_at: Some(next) }) => (None, next, Some(class)),
        DeliveryEnd::Failed(DeliveryFailure { class, next_attempt_at: None }) => {
            (Some(EventState::Dead), at, Some(class))
        }
    };
    let end = lease(END, claim)
        .optional_text(state.map(EventState::as_str))
        .number(due_at.as_microseconds())
        .optional_text(error.map(nora_webhooks::ports::DeliveryFailureClass::as_str))
        .optional_text(verdict.map(Verdict::as_str));
    let rows = store.write::<Ended>(end).await?;
    let Some(ended) = rows.first() else { return Ok(Held::No) };
    if ended.goes_on {
        store.signals.announce(Topic::Delivery);
    }
    Ok(Held::Yes)
}
