//! How attempts end: those that end at the same time, in one statement.

use std::sync::Arc;
use std::time::Duration;

use diesel::QueryableByName;
use diesel::sql_types::{Bool, Nullable};
use diesel_async::AsyncPgConnection;
use diesel_async::pooled_connection::deadpool::Pool;
use nora_kernel::Timestamp;
use nora_webhooks::ports::{DeliveryClaim, DeliveryEnd, DeliveryFailure, DeliveryFailureClass, Held};
use nora_webhooks::{EventState, Verdict};
use tokio::sync::{mpsc, oneshot};

use crate::error::StoreError;
use crate::signals::{Signals, Topic};
use crate::statement::{Statement, each};
use crate::store::load;

/// How many attempts end in one statement at most.
const GROUP: usize = 128;
/// How long a group is gathered while several end at a time.
const GATHERING: Duration = Duration::from_millis(1);

/// Locks the lanes in the order in which events are added to them. A null state keeps the delivery, to be tried again
/// when it is due.
///
/// Events are looked up one by one: the planner, who takes a queue for a small table, would rather walk through all of
/// a channel's.
///
/// What was added to a lane since this statement began cannot be seen by it; that something was can, because the
/// lane's row is read again once it is locked.
const END: &str = "\
    WITH given AS MATERIALIZED (SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7) WITH ORDINALITY \
    AS attempt (event_id, sequence, fence, state, due_at, error, verdict, place)), \
    placed AS MATERIALIZED (SELECT given.*, event.channel_id, event.ordering_key FROM given, \
    LATERAL (SELECT channel_id, ordering_key FROM events WHERE id = given.event_id OFFSET 0) AS event), \
    held AS MATERIALIZED (SELECT lanes.id, placed.* FROM placed \
    JOIN lanes ON lanes.channel_id = placed.channel_id AND lanes.ordering_key = placed.ordering_key \
    AND lanes.claimed = placed.sequence AND lanes.fence = placed.fence AND lanes.lease_until IS NOT NULL \
    ORDER BY lanes.channel_id, lanes.ordering_key FOR UPDATE OF lanes), \
    lane AS (UPDATE lanes SET lease_until = NULL, lease_owner = NULL, \
    ended = CASE WHEN held.state IS NULL THEN lanes.ended ELSE held.sequence END, \
    due_at = CASE WHEN held.state IS NULL OR lanes.added > held.sequence OR EXISTS (SELECT FROM deliveries \
    WHERE deliveries.lane_id = lanes.id AND deliveries.sequence > held.sequence) THEN held.due_at END \
    FROM held WHERE lanes.id = held.id RETURNING held.place, lanes.due_at IS NOT NULL AS goes_on), \
    gone AS (DELETE FROM deliveries USING held WHERE held.state IS NOT NULL AND deliveries.lane_id = held.id \
    AND deliveries.sequence = held.sequence), \
    told AS (UPDATE events SET last_error = held.error, verdict = coalesce(held.verdict, events.verdict), \
    queued = CASE WHEN held.state IS NULL THEN queued ELSE queued - 1 END, \
    state = CASE WHEN held.state IS NULL OR queued > 1 THEN events.state ELSE held.state END \
    FROM held WHERE events.id = held.event_id) \
    SELECT lane.goes_on FROM given LEFT JOIN lane ON lane.place = given.place ORDER BY given.place";

#[derive(QueryableByName)]
struct Row {
    /// Whether the lane has more to deliver; null if the lease was lost.
    #[diesel(sql_type = Nullable<Bool>)]
    goes_on: Option<bool>,
}

/// An attempt that has ended.
struct Ended {
    claim: DeliveryClaim,
    state: Option<EventState>,
    due_at: Timestamp,
    error: Option<DeliveryFailureClass>,
    verdict: Option<Verdict>,
    answer: oneshot::Sender<Result<Held, Arc<StoreError>>>,
}

/// Hands ended attempts to the loop that records them.
pub(crate) struct Ends(mpsc::Sender<Ended>);

/// The loop that records what has ended.
pub(crate) struct Recorder {
    queue: mpsc::Receiver<Ended>,
    pool: Pool<AsyncPgConnection>,
    signals: Arc<Signals>,
}

impl Ends {
    pub(crate) fn new(pool: Pool<AsyncPgConnection>, signals: Arc<Signals>) -> (Self, Recorder) {
        let (sender, queue) = mpsc::channel(GROUP);
        (Self(sender), Recorder { queue, pool, signals })
    }

    pub(super) async fn record(
        &self,
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
        let (answer, answered) = oneshot::channel();
        let ended = Ended { claim: claim.clone(), state, due_at, error, verdict, answer };
        self.0.send(ended).await.map_err(|_| StoreError::Closed)?;
        Ok(answered.await.map_err(|_| StoreError::Closed)??)
    }
}

impl Recorder {
    /// Records whatever has ended, at once; what ends while that is under way, and for a moment after several, makes up
    /// the next group.
    pub(crate) async fn run(mut self) {
        let mut group = Vec::with_capacity(GROUP);
        while self.queue.recv_many(&mut group, GROUP).await > 0 {
            let several = group.len() > 1;
            match self.record(&group).await {
                Ok(rows) => {
                    for (ended, row) in group.drain(..).zip(rows) {
                        let held = if row.goes_on.is_some() { Held::Yes } else { Held::No };
                        // Whoever has gone lost nothing: it is recorded.
                        let _ = ended.answer.send(Ok(held));
                    }
                }
                Err(error) => {
                    let error = Arc::new(error);
                    for ended in group.drain(..) {
                        let _ = ended.answer.send(Err(Arc::clone(&error)));
                    }
                }
            }
            if several {
                tokio::time::sleep(GATHERING).await;
            }
        }
    }

    async fn record(&self, group: &[Ended]) -> Result<Vec<Row>, StoreError> {
        let rows: Vec<Row> = load(&self.pool, statement(group)).await?;
        if rows.iter().any(|row| row.goes_on == Some(true)) {
            self.signals.announce(Topic::Delivery);
        }
        Ok(rows)
    }
}

fn statement(group: &[Ended]) -> Statement {
    Statement::new(END)
        .uuids(each(group, |ended| ended.claim.event.as_uuid()))
        .numbers(each(group, |ended| ended.claim.sequence))
        .numbers(each(group, |ended| ended.claim.fence))
        .optional_texts(each(group, |ended| ended.state.map(|state| state.as_str().to_owned())))
        .numbers(each(group, |ended| ended.due_at.as_microseconds()))
        .optional_texts(each(group, |ended| ended.error.map(|error| error.as_str().to_owned())))
        .optional_texts(each(group, |ended| ended.verdict.map(|verdict| verdict.as_str().to_owned())))
}
