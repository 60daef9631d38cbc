//! Leases: who may deliver what, and until when.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Nullable};
use diesel::sqlite::Sqlite;
use nora_kernel::{AgentId, Timestamp};
use nora_webhooks::ports::{DeliveryClaim, Held};

use super::held;
use crate::lanes::{First, first};
use crate::schema::lanes;
use crate::statement::{Kept, Statement};
use crate::value::{Id, Time};
use crate::writer::Transaction;

/// A lease to be taken.
#[derive(Clone, Copy)]
pub(super) struct Lease {
    pub(super) owner: Id,
    pub(super) until: Time,
}

/// How much is claimed, and for whom.
pub(super) struct Share {
    pub(super) limit: usize,
    pub(super) per_agent: u16,
    pub(super) busy: Vec<AgentId>,
}

/// How many lanes are looked at before the next look.
const STRIDE: usize = 256;

/// The lanes that are due at `?1` for the owner `?2`, behind the place `?3`, `?4`, in the order they became due.
///
/// Whoever holds a lease from an earlier opening of the file is gone, because the file is locked.
const DUE: &str = "
    SELECT id, channel_id, agent_id, due_at, claimed, attempt, begun_at, fence
    FROM lanes INDEXED BY lanes_due
    WHERE due_at IS NOT NULL AND paused = 0 AND due_at <= ?1 AND (due_at, id) > (?3, ?4)
        AND (lease_until IS NULL OR lease_until <= ?1 OR lease_owner <> ?2)
    ORDER BY due_at, id LIMIT ?5 + 0
";

/// When the next lane becomes due for the owner `?1`: its own leases have to end first.
const NEXT_DUE: &str = "
    SELECT min(due) AS due FROM (
        SELECT * FROM (SELECT due_at AS due FROM lanes INDEXED BY lanes_due
            WHERE due_at IS NOT NULL AND paused = 0 AND (lease_until IS NULL OR lease_owner <> ?1)
            ORDER BY due_at, id LIMIT 1)
        UNION ALL
        SELECT min(max(lease_until, due_at)) FROM lanes INDEXED BY lanes_leased
            WHERE lease_until IS NOT NULL AND due_at IS NOT NULL AND paused = 0 AND lease_owner = ?1
    )
";

/// An attempt at the event `?1` begins, for the delivery `?2`. From now on another replay is one more.
const BEGUN: &str = "
    UPDATE events SET attempts = attempts + 1, replay_sequence = nullif(replay_sequence, ?2) WHERE id = ?1
";

#[derive(QueryableByName)]
#[diesel(check_for_backend(Sqlite))]
struct DueRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Binary)]
    channel_id: Id,
    #[diesel(sql_type = Binary)]
    agent_id: Id,
    #[diesel(sql_type = BigInt)]
    due_at: i64,
    #[diesel(sql_type = BigInt)]
    claimed: i64,
    #[diesel(sql_type = BigInt)]
    attempt: i64,
    #[diesel(sql_type = BigInt)]
    begun_at: Time,
    #[diesel(sql_type = BigInt)]
    fence: i64,
}

impl DueRow {
    /// The claim of the lane's first delivery that begins now.
    fn claim(&self, first: &First, now: Time) -> DeliveryClaim {
        let again = self.claimed == first.sequence;
        let attempt = if again { self.attempt.saturating_add(1) } else { 1 };
        DeliveryClaim {
            sequence: first.sequence,
            event: first.event_id.into(),
            channel: self.channel_id.into(),
            agent: self.agent_id.into(),
            replay: first.replay,
            fence: self.fence.saturating_add(1),
            attempt: u32::try_from(attempt).unwrap_or(u32::MAX),
            begun_at: if again { self.begun_at.0 } else { now.0 },
        }
    }
}

pub(super) fn claim(
    connection: &mut SqliteConnection,
    share: &Share,
    lease: Lease,
    now: Time,
) -> QueryResult<Vec<DeliveryClaim>> {
    let mut claims = Vec::new();
    for row in chosen(connection, share, lease.owner, now)? {
        let Some(first) = first(connection, row.id)? else { continue };
        let claim = row.claim(&first, now);
        take(connection, row.id, &claim, lease)?;
        claims.push(claim);
    }
    Ok(claims)
}

/// Walks the lanes that are due until there are enough, and gives each agent no more than its share of them.
fn chosen(connection: &mut SqliteConnection, share: &Share, owner: Id, now: Time) -> QueryResult<Vec<DueRow>> {
    let mut taken: HashMap<AgentId, u16> = share.busy.iter().map(|agent| (*agent, share.per_agent)).collect();
    let (mut chosen, mut behind) = (Vec::new(), (i64::MIN, i64::MIN));
    loop {
        let rows = due(connection, owner, now, behind)?;
        let seen = rows.len();
        for row in rows {
            behind = (row.due_at, row.id);
            let count = taken.entry(row.agent_id.into()).or_default();
            if *count < share.per_agent && chosen.len() < share.limit {
                *count += 1;
                chosen.push(row);
            }
        }
        if seen < STRIDE || chosen.len() >= share.limit {
            return Ok(chosen);
        }
    }
}

fn due(connection: &mut SqliteConnection, owner: Id, now: Time, behind: (i64, i64)) -> QueryResult<Vec<DueRow>> {
    Statement::new(DUE)
        .bind::<BigInt, _>(now)
        .bind::<Binary, _>(owner)
        .bind::<BigInt, _>(behind.0)
        .bind::<BigInt, _>(behind.1)
        .bind::<BigInt, _>(i64::try_from(STRIDE).unwrap_or(i64::MAX))
        .load(connection)
}

fn take(connection: &mut SqliteConnection, lane: i64, claim: &DeliveryClaim, lease: Lease) -> QueryResult<()> {
    Kept(diesel::update(lanes::table.find(lane)).set((
        lanes::claimed.eq(claim.sequence),
        lanes::attempt.eq(i64::from(claim.attempt)),
        lanes::begun_at.eq(Time(claim.begun_at)),
        lanes::fence.eq(claim.fence),
        lanes::lease_until.eq(Some(lease.until)),
        lanes::lease_owner.eq(Some(lease.owner)),
    )))
    .execute(connection)?;
    Statement::new(BEGUN)
        .bind::<Binary, _>(Id::from(claim.event))
        .bind::<BigInt, _>(claim.sequence)
        .execute(connection)
        .map(drop)
}

pub(super) fn renew(connection: &mut SqliteConnection, claim: &DeliveryClaim, until: Time) -> QueryResult<Held> {
    let Some(lane) = held(connection, claim)? else { return Ok(Held::No) };
    diesel::update(lanes::table.find(lane)).set(lanes::lease_until.eq(Some(until))).execute(connection)?;
    Ok(Held::Yes)
}

pub(super) fn release(transaction: &mut Transaction<'_>, claim: &DeliveryClaim) -> QueryResult<()> {
    let Some(lane) = held(transaction.connection, claim)? else { return Ok(()) };
    transaction.tell_delivery();
    diesel::update(lanes::table.find(lane))
        .set((lanes::lease_until.eq(None::<Time>), lanes::lease_owner.eq(None::<Id>)))
        .execute(transaction.connection)
        .map(drop)
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(Sqlite))]
struct NextDueRow {
    #[diesel(sql_type = Nullable<BigInt>)]
    due: Option<Time>,
}

pub(super) fn next_due(connection: &mut SqliteConnection, owner: Id) -> QueryResult<Option<Timestamp>> {
    let row: NextDueRow = Statement::new(NEXT_DUE).bind::<Binary, _>(owner).get_result(connection)?;
    Ok(row.due.map(|due| due.0))
}
