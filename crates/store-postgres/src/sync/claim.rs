//! Leases: taking, keeping and giving back.

use std::collections::HashSet;
use std::time::Duration;

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Bool, Nullable, Text, Uuid as UuidType};
use nora_integrations::ports::{Claim, Held, Role, Task};
use nora_kernel::{AgentId, TargetId, Timestamp};
use uuid::Uuid;

use crate::error::StoreError;
use crate::rows::{Number, any, count, parse};
use crate::servers;
use crate::signals::Topic;
use crate::statement::Statement;
use crate::store::PostgresStore;

/// Pushes first, then checks, each in the order they became due; what somebody else is claiming is passed over.
///
/// The ids go through an array: the planner then expects few and looks them up, where it could take a join of an
/// unknown number of rows for a reason to read the whole table.
const CLAIM: &str = "\
    WITH pushes AS MATERIALIZED (SELECT id FROM sync_targets WHERE NOT is_check AND due_at <= $1 \
    AND (lease_until IS NULL OR lease_until <= $1 OR lease_owner = ANY ($5)) ORDER BY due_at, id LIMIT $2 \
    FOR UPDATE SKIP LOCKED), \
    checks AS MATERIALIZED (SELECT id FROM sync_targets WHERE is_check AND due_at <= $1 \
    AND (lease_until IS NULL OR lease_until <= $1 OR lease_owner = ANY ($5)) ORDER BY due_at, id \
    LIMIT $2 - (SELECT count(*) FROM pushes) FOR UPDATE SKIP LOCKED), \
    claimed AS (UPDATE sync_targets AS target SET fence = fence + 1, lease_until = $3, lease_owner = $4, \
    attempt = CASE WHEN is_check THEN attempt ELSE attempt + 1 END \
    FROM agents AS agent \
    WHERE target.id = ANY (ARRAY(SELECT id FROM pushes UNION ALL SELECT id FROM checks)) \
    AND agent.id = target.agent_id \
    RETURNING target.id, target.agent_id, agent.workspace, target.purge_until, target.is_check, target.fence, \
    target.attempt, target.applied, target.due_at) \
    SELECT * FROM claimed ORDER BY is_check, due_at, id";

/// Asked after the claim: the claim itself can find a target retired by a deletion that it is too old to see.
const DELETED: &str = "SELECT id FROM agents WHERE id = ANY ($1) AND deleted_at IS NOT NULL";

const RENEW: &str = "UPDATE sync_targets SET lease_until = $3 \
                     WHERE id = $1 AND fence = $2 AND lease_until IS NOT NULL RETURNING 1::bigint AS value";

const RELEASE: &str = "UPDATE sync_targets SET lease_until = NULL, lease_owner = NULL \
                       FROM unnest($1, $2) AS lease (id, fence) \
                       WHERE sync_targets.id = lease.id AND sync_targets.fence = lease.fence";

#[derive(QueryableByName)]
struct Agent {
    #[diesel(sql_type = UuidType)]
    id: Uuid,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = UuidType)]
    id: Uuid,
    #[diesel(sql_type = UuidType)]
    agent_id: Uuid,
    #[diesel(sql_type = Text)]
    workspace: String,
    #[diesel(sql_type = Nullable<BigInt>)]
    purge_until: Option<i64>,
    #[diesel(sql_type = Bool)]
    is_check: bool,
    #[diesel(sql_type = BigInt)]
    fence: i64,
    #[diesel(sql_type = BigInt)]
    attempt: i64,
    #[diesel(sql_type = BigInt)]
    applied: i64,
}

impl Row {
    fn claim(&self, deleted: &HashSet<Uuid>) -> Result<Claim, StoreError> {
        let role = match self.purge_until.map(Timestamp::from_microseconds) {
            Some(until) => Role::Retired { until, agent_deleted: deleted.contains(&self.agent_id) },
            None => Role::Live,
        };
        Ok(Claim {
            target: TargetId::from_uuid(self.id),
            agent: AgentId::from_uuid(self.agent_id),
            workspace: parse("agents.workspace", &self.workspace)?,
            role,
            task: if self.is_check { Task::Check } else { Task::Push },
            fence: self.fence,
            attempt: u32::try_from(self.attempt).unwrap_or(u32::MAX),
            applied: count("sync_targets.applied", self.applied)?,
        })
    }
}

pub(super) async fn claim(
    store: &PostgresStore,
    limit: u16,
    lease: Duration,
    now: Timestamp,
) -> Result<Vec<Claim>, StoreError> {
    let claim = Statement::new(CLAIM)
        .number(now.as_microseconds())
        .number(limit.into())
        .number(now.after(lease).as_microseconds())
        .text(&*store.owner)
        .texts(servers::dead(store, &store.first_claim, lease, now).await?);
    let rows = store.write::<Row>(claim).await?;
    let deleted = deleted(store, &rows).await?;
    rows.iter().map(|row| row.claim(&deleted)).collect()
}

/// The deleted ones among the agents of retired targets.
async fn deleted(store: &PostgresStore, rows: &[Row]) -> Result<HashSet<Uuid>, StoreError> {
    let agents: Vec<Uuid> = rows.iter().filter(|row| row.purge_until.is_some()).map(|row| row.agent_id).collect();
    if agents.is_empty() {
        return Ok(HashSet::new());
    }
    let found = store.select::<Agent>(Statement::new(DELETED).uuids(agents)).await?;
    Ok(found.into_iter().map(|agent| agent.id).collect())
}

pub(super) async fn renew(store: &PostgresStore, claim: &Claim, until: Timestamp) -> Result<Held, StoreError> {
    let renew = of_lease(RENEW, claim).number(until.as_microseconds());
    Ok(held(&store.write::<Number>(renew).await?))
}

pub(super) async fn release(store: &PostgresStore, claims: &[Claim]) -> Result<(), StoreError> {
    let release = of_leases(RELEASE, claims);
    let released = store.execute(release).await?;
    if released > 0 {
        store.signals.announce(Topic::Sync);
    }
    Ok(())
}

/// A statement about a lease: `$1` is its target and `$2` its fence.
pub(super) fn of_lease(text: &'static str, claim: &Claim) -> Statement {
    Statement::new(text).uuid(claim.target.as_uuid()).number(claim.fence)
}

/// A statement about several leases: `$1` are their targets and `$2` their fences.
pub(super) fn of_leases<'a>(text: &'static str, claims: impl IntoIterator<Item = &'a Claim>) -> Statement {
    let (targets, fences) = claims.into_iter().map(|claim| (claim.target.as_uuid(), claim.fence)).unzip();
    Statement::new(text).uuids(targets).numbers(fences)
}

pub(super) fn held(rows: &[Number]) -> Held {
    if any(rows) { Held::Yes } else { Held::No }
}
