//! Redeploys that are asked for, and leases on them.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Bool, Nullable, Text};
use diesel::sqlite::Sqlite;
use nora_integrations::ports::Held;
use nora_kernel::audit::AuditLine;
use nora_kernel::{Timestamp, Workspace};
use nora_mcp_servers::ports::RedeployClaim;

use crate::agents::exists;
use crate::audit::write_line;
use crate::failure::{Ending, corrupt};
use crate::reach::Within;
use crate::schema::redeploys;
use crate::statement::Statement;
use crate::value::{Id, Parsed, Time};
use crate::writer::Transaction;

/// Nothing was asked for since the last one ended.
pub(super) const DONE: &str = "done";
/// One was asked for.
pub(super) const PENDING: &str = "pending";
/// One was asked for while another was under way.
pub(super) const REPEATED: &str = "repeated";

/// A lease to be taken.
#[derive(Clone, Copy)]
pub(super) struct Lease {
    pub(super) owner: Id,
    pub(super) until: Time,
}

/// What is due at `?1` for the owner `?2`, at most `?3` of it. Whoever holds a lease from an earlier opening of the
/// file is gone, because the file is locked.
const DUE: &str = "
    SELECT redeploys.agent_id, agents.workspace, redeploys.fence, redeploys.attempt,
        redeploys.state = 'repeated' AS is_repeated
    FROM redeploys INDEXED BY redeploys_due
    CROSS JOIN agents ON agents.id = redeploys.agent_id
    WHERE redeploys.state <> 'done' AND redeploys.blocked = 0 AND redeploys.next_attempt_at <= ?1
        AND (redeploys.lease_until IS NULL OR redeploys.lease_until <= ?1 OR redeploys.lease_owner <> ?2)
        AND agents.deleted_at IS NULL
    ORDER BY redeploys.next_attempt_at LIMIT ?3 + 0
";

/// When the next redeploy becomes due for the owner `?1`.
const NEXT_DUE: &str = "
    SELECT min(CASE WHEN redeploys.lease_owner = ?1 THEN max(redeploys.next_attempt_at, redeploys.lease_until)
        ELSE redeploys.next_attempt_at END) AS due
    FROM redeploys INDEXED BY redeploys_due
    CROSS JOIN agents ON agents.id = redeploys.agent_id
    WHERE redeploys.state <> 'done' AND redeploys.blocked = 0 AND agents.deleted_at IS NULL
";

#[derive(QueryableByName)]
#[diesel(check_for_backend(Sqlite))]
struct DueRow {
    #[diesel(sql_type = Binary)]
    agent_id: Id,
    #[diesel(sql_type = Text)]
    workspace: Parsed<Workspace>,
    #[diesel(sql_type = BigInt)]
    fence: i64,
    #[diesel(sql_type = BigInt)]
    attempt: i64,
    #[diesel(sql_type = Bool)]
    is_repeated: bool,
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(Sqlite))]
struct NextDueRow {
    #[diesel(sql_type = Nullable<BigInt>)]
    due: Option<Time>,
}

/// What a worker that holds a lease may go by.
#[derive(Queryable, Selectable)]
#[diesel(table_name = redeploys, check_for_backend(Sqlite))]
pub(super) struct HeldRow {
    pub(super) agent_id: Id,
    pub(super) again: bool,
}

/// The redeploy of a claim whose lease has neither ended nor gone to another worker.
pub(super) fn held(connection: &mut SqliteConnection, claim: &RedeployClaim) -> QueryResult<Option<HeldRow>> {
    redeploys::table
        .filter(redeploys::agent_id.eq(Id::from(claim.agent)))
        .filter(redeploys::fence.eq(claim.fence))
        .filter(redeploys::lease_until.is_not_null())
        .select(HeldRow::as_select())
        .get_result(connection)
        .optional()
}

pub(super) fn request(
    transaction: &mut Transaction<'_>,
    reach: &Within,
    agent: Id,
    line: &AuditLine,
) -> QueryResult<bool> {
    if !exists(transaction.connection, reach, agent)? {
        return Ok(false);
    }
    write_line(transaction.connection, line)?;
    transaction.tell_redeploy();
    let present = redeploys::table.find(agent);
    let under_way = redeploys::lease_until.gt(Time(line.at));
    let repeated = diesel::update(present.filter(under_way)).set(redeploys::again.eq(true));
    if repeated.execute(transaction.connection)? > 0 {
        return Ok(true);
    }
    let begun = (
        redeploys::state.eq(PENDING),
        redeploys::again.eq(false),
        redeploys::attempt.eq(0_i64),
        redeploys::blocked.eq(false),
        redeploys::next_attempt_at.eq(Time(line.at)),
    );
    diesel::insert_into(redeploys::table)
        .values((redeploys::agent_id.eq(agent), redeploys::fence.eq(0_i64), begun))
        .on_conflict(redeploys::agent_id)
        .do_update()
        .set(begun)
        .execute(transaction.connection)?;
    Ok(true)
}

pub(super) fn claim(
    connection: &mut SqliteConnection,
    limit: u16,
    lease: Lease,
    now: Time,
) -> Ending<Vec<RedeployClaim>> {
    let due: Vec<DueRow> = Statement::new(DUE)
        .bind::<BigInt, _>(now)
        .bind::<Binary, _>(lease.owner)
        .bind::<BigInt, _>(i64::from(limit))
        .load(connection)?;
    let mut claims = Vec::with_capacity(due.len());
    for row in due {
        let fence = row.fence.checked_add(1).ok_or_else(|| corrupt("a redeploy was claimed too often"))?;
        let attempt = row.attempt.saturating_add(1);
        diesel::update(redeploys::table.find(row.agent_id))
            .set((
                redeploys::fence.eq(fence),
                redeploys::attempt.eq(attempt),
                redeploys::lease_until.eq(Some(lease.until)),
                redeploys::lease_owner.eq(Some(lease.owner)),
            ))
            .execute(connection)?;
        claims.push(RedeployClaim {
            agent: row.agent_id.into(),
            workspace: row.workspace.0,
            fence,
            attempt: u32::try_from(attempt).unwrap_or(u32::MAX),
            is_repeated: row.is_repeated,
        });
    }
    Ok(claims)
}

pub(super) fn renew(connection: &mut SqliteConnection, claim: &RedeployClaim, until: Time) -> QueryResult<Held> {
    let Some(held) = held(connection, claim)? else { return Ok(Held::No) };
    let lease = redeploys::lease_until.eq(Some(until));
    diesel::update(redeploys::table.find(held.agent_id)).set(lease).execute(connection)?;
    Ok(Held::Yes)
}

/// What was asked for meanwhile is part of what is begun anew.
pub(super) fn release(transaction: &mut Transaction<'_>, claim: &RedeployClaim) -> QueryResult<()> {
    let Some(held) = held(transaction.connection, claim)? else { return Ok(()) };
    transaction.tell_redeploy();
    diesel::update(redeploys::table.find(held.agent_id))
        .set((
            redeploys::again.eq(false),
            redeploys::lease_until.eq(None::<Time>),
            redeploys::lease_owner.eq(None::<Id>),
        ))
        .execute(transaction.connection)
        .map(drop)
}

pub(super) fn next_due(connection: &mut SqliteConnection, owner: Id) -> QueryResult<Option<Timestamp>> {
    let row: NextDueRow = Statement::new(NEXT_DUE).bind::<Binary, _>(owner).get_result(connection)?;
    Ok(row.due.map(|due| due.0))
}
