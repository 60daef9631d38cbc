//! Leases: taking, keeping and giving back.

use std::time::Duration;

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Bool, Uuid as UuidType};
use nora_kernel::{AgentId, ChannelId, EventId, Timestamp};
use nora_webhooks::ports::{DeliveryClaim, Held};
use uuid::Uuid;

use super::{held, lease, of_lease};
use crate::error::StoreError;
use crate::rows::Number;
use crate::servers;
use crate::signals::Topic;
use crate::statement::Statement;
use crate::store::PostgresStore;

/// What makes a lane free to be claimed at `$1` by a process that knows of the dead ones `$6`.
macro_rules! free {
    () => {
        "due_at <= $1 AND NOT paused AND (lease_until IS NULL OR lease_until <= $1 OR lease_owner = ANY ($6))"
    };
}

/// Looks at the first lanes in the order they became due, gives each agent its share of them, and takes those that
/// nobody else is taking.
///
/// A lane's row may be newer than the moment the statement sees. Its `ended` then leads past deliveries that are gone
/// by now; a lane in which nothing is seen is left alone, unless nothing was added since that moment: then it is empty,
/// because everything it was meant to hold was kept by somebody else.
const CLAIM: &str = concat!(
    "WITH due AS MATERIALIZED (SELECT id, agent_id, due_at FROM lanes WHERE ",
    free!(),
    " AND agent_id <> ALL ($5) ORDER BY due_at, id LIMIT 1024), \
     ranked AS (SELECT id, due_at, row_number() OVER (PARTITION BY agent_id ORDER BY due_at, id) AS place FROM due), \
     picked AS MATERIALIZED (SELECT id, ended, added, due_at FROM lanes WHERE id = ANY (ARRAY( \
     SELECT id FROM ranked WHERE place <= $7 ORDER BY due_at, id LIMIT $2)) AND ",
    free!(),
    " ORDER BY id FOR UPDATE SKIP LOCKED), \
     headed AS MATERIALIZED (SELECT picked.id, picked.added, picked.due_at, first.sequence, first.event_id, \
     first.replay FROM picked LEFT JOIN LATERAL (SELECT sequence, event_id, replay FROM deliveries \
     WHERE lane_id = picked.id AND sequence > picked.ended ORDER BY sequence LIMIT 1) AS first ON true), \
     taken AS (UPDATE lanes SET fence = fence + 1, lease_until = $3, lease_owner = $4, claimed = headed.sequence, \
     attempt = CASE WHEN claimed = headed.sequence THEN attempt + 1 ELSE 1 END, \
     begun_at = CASE WHEN claimed = headed.sequence THEN begun_at ELSE $1 END \
     FROM headed WHERE lanes.id = headed.id AND headed.sequence IS NOT NULL \
     RETURNING headed.sequence, headed.event_id, lanes.channel_id, lanes.agent_id, headed.replay, lanes.fence, \
     lanes.attempt, lanes.begun_at, headed.due_at), \
     emptied AS (UPDATE lanes SET due_at = NULL FROM headed JOIN lanes AS seen ON seen.id = headed.id \
     WHERE lanes.id = headed.id AND headed.sequence IS NULL AND seen.added = headed.added), \
     begun AS (UPDATE events SET attempts = attempts + 1, \
     replay_sequence = nullif(replay_sequence, taken.sequence) FROM taken WHERE events.id = taken.event_id) \
     SELECT sequence, event_id, channel_id, agent_id, replay, fence, attempt, begun_at FROM taken \
     ORDER BY due_at, sequence"
);

const RENEW: &str = concat!(
    "UPDATE lanes SET lease_until = $4 FROM events AS event WHERE ",
    of_lease!(),
    " RETURNING 1::bigint AS value"
);

const RELEASE: &str = "\
    UPDATE lanes SET lease_until = NULL, lease_owner = NULL \
    FROM unnest($1, $2, $3) AS lease (event_id, sequence, fence) JOIN events AS event ON event.id = lease.event_id \
    WHERE lanes.channel_id = event.channel_id AND lanes.ordering_key = event.ordering_key \
    AND lanes.claimed = lease.sequence AND lanes.fence = lease.fence AND lanes.lease_until IS NOT NULL";

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    sequence: i64,
    #[diesel(sql_type = UuidType)]
    event_id: Uuid,
    #[diesel(sql_type = UuidType)]
    channel_id: Uuid,
    #[diesel(sql_type = UuidType)]
    agent_id: Uuid,
    #[diesel(sql_type = Bool)]
    replay: bool,
    #[diesel(sql_type = BigInt)]
    fence: i64,
    #[diesel(sql_type = BigInt)]
    attempt: i64,
    #[diesel(sql_type = BigInt)]
    begun_at: i64,
}

impl From<Row> for DeliveryClaim {
    fn from(row: Row) -> Self {
        Self {
            sequence: row.sequence,
            event: EventId::from_uuid(row.event_id),
            channel: ChannelId::from_uuid(row.channel_id),
            agent: AgentId::from_uuid(row.agent_id),
            replay: row.replay,
            fence: row.fence,
            attempt: u32::try_from(row.attempt).unwrap_or(u32::MAX),
            begun_at: Timestamp::from_microseconds(row.begun_at),
        }
    }
}

pub(super) async fn claim(
    store: &PostgresStore,
    limit: u16,
    per_agent: u16,
    busy: &[AgentId],
    lease: Duration,
    now: Timestamp,
) -> Result<Vec<DeliveryClaim>, StoreError> {
    let claim = Statement::new(CLAIM)
        .number(now.as_microseconds())
        .number(limit.into())
        .number(now.after(lease).as_microseconds())
        .text(&*store.owner)
        .uuids(busy.iter().map(|agent| agent.as_uuid()).collect())
        .texts(servers::dead(store, &store.first_delivery_claim, lease, now).await?)
        .number(per_agent.into());
    let rows = store.write::<Row>(claim).await?;
    Ok(rows.into_iter().map(DeliveryClaim::from).collect())
}

pub(super) async fn renew(store: &PostgresStore, claim: &DeliveryClaim, until: Timestamp) -> Result<Held, StoreError> {
    let renew = lease(RENEW, claim).number(until.as_microseconds());
    Ok(held(&store.write::<Number>(renew).await?))
}

pub(super) async fn release(store: &PostgresStore, claims: &[DeliveryClaim]) -> Result<(), StoreError> {
    let release = Statement::new(RELEASE)
        .uuids(claims.iter().map(|claim| claim.event.as_uuid()).collect())
        .numbers(claims.iter().map(|claim| claim.sequence).collect())
        .numbers(claims.iter().map(|claim| claim.fence).collect());
    let released = store.execute(release).await?;
    if released > 0 {
        store.signals.announce(Topic::Delivery);
    }
    Ok(())
}
