//! Leases: who may push to which target, and until when.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Bool, Nullable, Text};
use diesel::sqlite::Sqlite;
use nora_integrations::ports::{Claim, Held, Role, Task};
use nora_kernel::{Timestamp, Workspace};

use super::{held, no_lease};
use crate::failure::{Ending, corrupt};
use crate::schema::sync_targets;
use crate::statement::{Kept, Statement};
use crate::targets::LIVE;
use crate::value::{Count, Id, Parsed, Time};
use crate::writer::Transaction;

/// A lease to be taken.
#[derive(Clone, Copy)]
pub(super) struct Lease {
    pub(super) owner: Id,
    pub(super) until: Time,
}

/// What is due at `?1` for the owner `?2`, at most `?3` of it: pushes, purges whose patience has ended, then checks.
///
/// Whoever holds a lease from an earlier opening of the file is gone, because the file is locked. Each part names its
/// index: without it a claim would look through every target there is.
const DUE: &str = "
    WITH due AS (
        SELECT * FROM (
            SELECT id, 0 AS class, next_attempt_at AS since
            FROM sync_targets INDEXED BY sync_targets_push
            WHERE desired > applied AND blocked = 0 AND next_attempt_at <= ?1
                AND (lease_until IS NULL OR lease_until <= ?1 OR lease_owner <> ?2)
            ORDER BY next_attempt_at LIMIT ?3 + 0
        )
        UNION ALL
        SELECT * FROM (
            SELECT id, 0 AS class, purge_until AS since
            FROM sync_targets INDEXED BY sync_targets_purge
            WHERE role = 'retired' AND purge_until <= ?1 AND (blocked = 1 OR next_attempt_at > ?1)
                AND (lease_until IS NULL OR lease_until <= ?1 OR lease_owner <> ?2)
            ORDER BY purge_until LIMIT ?3 + 0
        )
        UNION ALL
        SELECT * FROM (
            SELECT id, 1 AS class, next_check_at AS since
            FROM sync_targets INDEXED BY sync_targets_check
            WHERE role = 'live' AND desired = applied AND blocked = 0 AND next_check_at <= ?1
                AND (lease_until IS NULL OR lease_until <= ?1 OR lease_owner <> ?2)
            ORDER BY next_check_at LIMIT ?3 + 0
        )
    )
    SELECT target.id, target.agent_id, agents.workspace, agents.deleted_at IS NOT NULL AS agent_deleted,
        target.role, target.purge_until, target.desired, target.applied, target.attempt, target.fence
    FROM due
    CROSS JOIN sync_targets AS target ON target.id = due.id
    CROSS JOIN agents ON agents.id = target.agent_id
    ORDER BY due.class, due.since, due.id
    LIMIT ?3 + 0
";

/// When the next target becomes due for the owner `?1`.
const NEXT_DUE: &str = "
    SELECT min(due) AS due FROM (
        SELECT min(next_attempt_at) AS due
        FROM sync_targets INDEXED BY sync_targets_push
        WHERE desired > applied AND blocked = 0 AND (lease_until IS NULL OR lease_owner <> ?1)
        UNION ALL
        SELECT min(purge_until)
        FROM sync_targets INDEXED BY sync_targets_purge
        WHERE role = 'retired' AND (lease_until IS NULL OR lease_owner <> ?1)
        UNION ALL
        SELECT min(next_check_at)
        FROM sync_targets INDEXED BY sync_targets_check
        WHERE role = 'live' AND desired = applied AND blocked = 0 AND (lease_until IS NULL OR lease_owner <> ?1)
        UNION ALL
        SELECT min(max(lease_until, CASE
            WHEN role = 'retired' AND (blocked = 1 OR purge_until < next_attempt_at) THEN purge_until
            WHEN blocked = 1 THEN NULL
            WHEN desired > applied THEN next_attempt_at
            ELSE next_check_at
        END))
        FROM sync_targets INDEXED BY sync_targets_leased
        WHERE lease_until IS NOT NULL AND lease_owner = ?1
    )
";

#[derive(QueryableByName)]
#[diesel(check_for_backend(Sqlite))]
struct DueRow {
    #[diesel(sql_type = Binary)]
    id: Id,
    #[diesel(sql_type = Binary)]
    agent_id: Id,
    #[diesel(sql_type = Text)]
    workspace: Parsed<Workspace>,
    #[diesel(sql_type = Bool)]
    agent_deleted: bool,
    #[diesel(sql_type = Text)]
    role: String,
    #[diesel(sql_type = Nullable<BigInt>)]
    purge_until: Option<Time>,
    #[diesel(sql_type = BigInt)]
    desired: Count,
    #[diesel(sql_type = BigInt)]
    applied: Count,
    #[diesel(sql_type = BigInt)]
    attempt: i64,
    #[diesel(sql_type = BigInt)]
    fence: i64,
}

impl DueRow {
    /// The claim that begins now; `None` if the row makes no sense.
    fn into_claim(self) -> Option<Claim> {
        let task = if self.desired > self.applied { Task::Push } else { Task::Check };
        let attempt = if task == Task::Push { self.attempt.saturating_add(1) } else { self.attempt };
        let role = match (self.role.as_str(), self.purge_until) {
            (LIVE, _) => Role::Live,
            (_, until) => Role::Retired { until: until?.0, agent_deleted: self.agent_deleted },
        };
        Some(Claim {
            target: self.id.into(),
            agent: self.agent_id.into(),
            workspace: self.workspace.0,
            role,
            task,
            fence: self.fence.checked_add(1)?,
            attempt: u32::try_from(attempt).unwrap_or(u32::MAX),
            applied: self.applied.0,
        })
    }
}

pub(super) fn claim(connection: &mut SqliteConnection, limit: u16, lease: Lease, now: Time) -> Ending<Vec<Claim>> {
    let due: Vec<DueRow> = Statement::new(DUE)
        .bind::<BigInt, _>(now)
        .bind::<Binary, _>(lease.owner)
        .bind::<BigInt, _>(i64::from(limit))
        .load(connection)?;
    let mut claims = Vec::with_capacity(due.len());
    for row in due {
        let claim = row.into_claim().ok_or_else(|| corrupt("a target that is due makes no sense"))?;
        take(connection, &claim, lease)?;
        claims.push(claim);
    }
    Ok(claims)
}

fn take(connection: &mut SqliteConnection, claim: &Claim, lease: Lease) -> QueryResult<()> {
    Kept(diesel::update(sync_targets::table.find(Id::from(claim.target))).set((
        sync_targets::fence.eq(claim.fence),
        sync_targets::attempt.eq(i64::from(claim.attempt)),
        sync_targets::lease_until.eq(Some(lease.until)),
        sync_targets::lease_owner.eq(Some(lease.owner)),
    )))
    .execute(connection)
    .map(drop)
}

pub(super) fn renew(connection: &mut SqliteConnection, claim: &Claim, until: Time) -> QueryResult<Held> {
    let Some(target) = held(connection, claim)? else { return Ok(Held::No) };
    let lease = sync_targets::lease_until.eq(Some(until));
    diesel::update(sync_targets::table.find(target.id)).set(lease).execute(connection)?;
    Ok(Held::Yes)
}

pub(super) fn release(transaction: &mut Transaction<'_>, claim: &Claim) -> QueryResult<()> {
    let Some(target) = held(transaction.connection, claim)? else { return Ok(()) };
    transaction.tell_due();
    diesel::update(sync_targets::table.find(target.id)).set(no_lease!()).execute(transaction.connection).map(drop)
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
