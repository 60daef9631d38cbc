//! Redeploys that are asked for, and leases on them.

use std::time::Duration;

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Bool, Nullable, Text, Uuid as UuidType};
use nora_integrations::ports::Held;
use nora_kernel::audit::AuditLine;
use nora_kernel::{AgentId, Reach, Timestamp};
use nora_mcp_servers::ports::RedeployClaim;
use uuid::Uuid;

use crate::audit::{insert_line, with_line};
use crate::error::StoreError;
use crate::rows::{Number, any, parse, time, workspace_of};
use crate::servers;
use crate::statement::Statement;
use crate::store::PostgresStore;

/// `$2` is now. One that is under way is asked for again; one that waits begins anew.
const REQUEST: &str = concat!(
    "WITH asked AS (INSERT INTO redeploys (agent_id, state, again, attempt, blocked, next_attempt_at, fence) \
     SELECT id, 'pending', false, 0, false, $2, 0 FROM agents WHERE id = $13 AND deleted_at IS NULL \
     AND ($14 IS NULL OR workspace = $14) \
     ON CONFLICT (agent_id) DO UPDATE SET \
     again = coalesce(redeploys.lease_until > $2, false), \
     state = CASE WHEN redeploys.lease_until > $2 THEN redeploys.state ELSE 'pending' END, \
     attempt = CASE WHEN redeploys.lease_until > $2 THEN redeploys.attempt ELSE 0 END, \
     blocked = redeploys.blocked AND coalesce(redeploys.lease_until > $2, false), \
     next_attempt_at = CASE WHEN redeploys.lease_until > $2 THEN redeploys.next_attempt_at ELSE $2 END \
     RETURNING agent_id), \
     audited AS (",
    insert_line!(),
    "asked) SELECT 1::bigint AS value FROM asked"
);

/// What somebody else is claiming is passed over. A deleted agent's redeploy ends here.
const CLAIM: &str = "\
    WITH due AS MATERIALIZED (SELECT agent_id FROM redeploys WHERE state <> 'done' AND NOT blocked \
    AND next_attempt_at <= $1 AND (lease_until IS NULL OR lease_until <= $1 OR lease_owner = ANY ($5)) \
    ORDER BY next_attempt_at, agent_id LIMIT $2 FOR UPDATE SKIP LOCKED), \
    claimed AS (UPDATE redeploys AS redeploy SET fence = fence + 1, attempt = attempt + 1, \
    state = CASE WHEN agent.deleted_at IS NULL THEN state ELSE 'done' END, \
    lease_until = CASE WHEN agent.deleted_at IS NULL THEN $3 END, lease_owner = $4 FROM agents AS agent \
    WHERE redeploy.agent_id = ANY (ARRAY(SELECT agent_id FROM due)) AND agent.id = redeploy.agent_id \
    RETURNING redeploy.agent_id, agent.workspace, redeploy.fence, redeploy.attempt, \
    redeploy.state = 'repeated' AS is_repeated, redeploy.next_attempt_at, agent.deleted_at IS NULL AS lives) \
    SELECT * FROM claimed WHERE lives ORDER BY next_attempt_at, agent_id";

const RENEW: &str = "UPDATE redeploys SET lease_until = $3 \
                     WHERE agent_id = $1 AND fence = $2 AND lease_until IS NOT NULL RETURNING 1::bigint AS value";

/// What was asked for meanwhile is part of what is begun anew.
const RELEASE: &str = "UPDATE redeploys SET lease_until = NULL, lease_owner = NULL, again = false \
                       FROM unnest($1, $2) AS lease (agent_id, fence) \
                       WHERE redeploys.agent_id = lease.agent_id AND redeploys.fence = lease.fence \
                       AND redeploys.lease_until IS NOT NULL";

const NEXT_DUE: &str = "SELECT min(greatest(next_attempt_at, lease_until)) AS due_at FROM redeploys \
                        WHERE state <> 'done' AND NOT blocked";

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = UuidType)]
    agent_id: Uuid,
    #[diesel(sql_type = Text)]
    workspace: String,
    #[diesel(sql_type = BigInt)]
    fence: i64,
    #[diesel(sql_type = BigInt)]
    attempt: i64,
    #[diesel(sql_type = Bool)]
    is_repeated: bool,
}

#[derive(QueryableByName)]
struct Due {
    #[diesel(sql_type = Nullable<BigInt>)]
    due_at: Option<i64>,
}

impl Row {
    fn claim(&self) -> Result<RedeployClaim, StoreError> {
        Ok(RedeployClaim {
            agent: AgentId::from_uuid(self.agent_id),
            workspace: parse("agents.workspace", &self.workspace)?,
            fence: self.fence,
            attempt: u32::try_from(self.attempt).unwrap_or(u32::MAX),
            is_repeated: self.is_repeated,
        })
    }
}

pub(super) async fn request(
    store: &PostgresStore,
    reach: &Reach,
    agent: AgentId,
    line: &AuditLine,
) -> Result<bool, StoreError> {
    let request = with_line(REQUEST, line).uuid(agent.as_uuid()).optional_text(workspace_of(reach));
    let asked = any(&store.write::<Number>(request).await?);
    if asked {
        store.signals.announce_redeploy();
    }
    Ok(asked)
}

pub(super) async fn claim(
    store: &PostgresStore,
    limit: u16,
    lease: Duration,
    now: Timestamp,
) -> Result<Vec<RedeployClaim>, StoreError> {
    let claim = Statement::new(CLAIM)
        .number(now.as_microseconds())
        .number(limit.into())
        .number(now.after(lease).as_microseconds())
        .text(&*store.owner)
        .texts(servers::dead(store, &store.first_redeploy_claim, lease, now).await?);
    store.write::<Row>(claim).await?.iter().map(Row::claim).collect()
}

pub(super) async fn renew(store: &PostgresStore, claim: &RedeployClaim, until: Timestamp) -> Result<Held, StoreError> {
    let renew = of_lease(RENEW, claim).number(until.as_microseconds());
    Ok(held(&store.write::<Number>(renew).await?))
}

pub(super) async fn release(store: &PostgresStore, claims: &[RedeployClaim]) -> Result<(), StoreError> {
    let (agents, fences) = claims.iter().map(|claim| (claim.agent.as_uuid(), claim.fence)).unzip();
    let release = Statement::new(RELEASE).uuids(agents).numbers(fences);
    let released = store.execute(release).await?;
    if released > 0 {
        store.signals.announce_redeploy();
    }
    Ok(())
}

pub(super) async fn next_due(store: &PostgresStore) -> Result<Option<Timestamp>, StoreError> {
    let rows = store.select::<Due>(Statement::new(NEXT_DUE)).await?;
    Ok(rows.first().and_then(|row| time(row.due_at)))
}

/// A statement about a lease: `$1` is its agent and `$2` its fence.
pub(super) fn of_lease(text: &'static str, claim: &RedeployClaim) -> Statement {
    Statement::new(text).uuid(claim.agent.as_uuid()).number(claim.fence)
}

pub(super) fn held(rows: &[Number]) -> Held {
    if any(rows) { Held::Yes } else { Held::No }
}
