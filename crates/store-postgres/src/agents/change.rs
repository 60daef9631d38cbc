//! Changing and deleting agents, and asking for their sync.

use diesel::QueryableByName;
use diesel::sql_types::Bool;
use nora_agents::ports::{AgentUpdate, TargetUpdate, UpdateAgentError};
use nora_kernel::audit::AuditLine;
use nora_kernel::{AgentId, Reach, Timestamp, Unavailable};

use super::GATEWAY_UNIQUE;
use crate::audit::{insert_line, with_line};
use crate::contention::{self, missed};
use crate::error::StoreError;
use crate::rows::{number, workspace_of};
use crate::signals::Topic;
use crate::statement::Statement;
use crate::store::PostgresStore;
use crate::targets::with_target;

/// `$13` to `$16` are the agent, its revision, and its name and time from now on.
macro_rules! change_agent {
    () => {
        "changed AS (UPDATE agents SET name = $15, updated_at = $16, revision = revision + 1 \
         WHERE id = $13 AND revision = $14 AND deleted_at IS NULL RETURNING id), "
    };
    // Only if another part has found the live target, which is locked before the agent everywhere. If the agent has
    // just been moved it has not, and the revision is another one.
    (after_locking) => {
        "locked AS MATERIALIZED (SELECT id FROM sync_targets WHERE agent_id = $13 AND role = 'live' FOR UPDATE), \
         changed AS (UPDATE agents SET name = $15, updated_at = $16, revision = revision + 1 FROM locked \
         WHERE agents.id = $13 AND revision = $14 AND deleted_at IS NULL RETURNING agents.id, \
         locked.id AS target_id), "
    };
}

/// `present` tells an agent that was changed meanwhile from one that is gone.
macro_rules! audit_and_report {
    () => {
        concat!(
            "audited AS (",
            insert_line!(),
            "changed) SELECT EXISTS (SELECT FROM changed) AS changed, \
             EXISTS (SELECT FROM agents WHERE id = $13 AND deleted_at IS NULL) AS present"
        )
    };
}

/// What a live target becomes when its agent leaves it: above everything that was pushed there, and due at once.
macro_rules! retire {
    ($until:literal) => {
        concat!(
            "UPDATE sync_targets SET role = 'retired', desired = greatest(desired, applied) + 1, \
             next_attempt_at = $2, retired_at = $2, blocked = false, attempt = 0, purge_until = ",
            $until
        )
    };
}

const KEEP: &str = concat!("WITH ", change_agent!(), audit_and_report!());

const REKEY: &str = concat!(
    "WITH ",
    change_agent!(after_locking),
    "rekeyed AS (UPDATE sync_targets SET device_id = $17, secrets = $18, secrets_version = $19, \
     desired = desired + 1, next_attempt_at = $2, blocked = false, attempt = 0 \
     FROM changed WHERE sync_targets.id = changed.target_id), ",
    audit_and_report!()
);

/// A target of the same kind at the same gateway, or at the same URL where there is no gateway, takes over what the old
/// one owned in that runtime.
const MOVE: &str = concat!(
    "WITH ",
    change_agent!(after_locking),
    "stays AS MATERIALIZED (SELECT left_one.id, left_one.owned FROM changed \
     JOIN sync_targets AS left_one ON left_one.id = changed.target_id \
     WHERE left_one.kind = $19 AND coalesce(left_one.gateway_origin, left_one.url) = coalesce($22, $20)), \
     retired AS (",
    retire!("$17"),
    ", owned = CASE WHEN EXISTS (SELECT FROM stays) THEN '[]' ELSE owned END \
     FROM changed WHERE sync_targets.id = changed.target_id RETURNING agent_id, desired), \
     placed AS (INSERT INTO sync_targets (agent_id, role, id, kind, url, gateway_url, gateway_origin, device_id, \
     secrets, secrets_version, desired, applied, attempt, blocked, next_attempt_at, next_check_at, fence, variables, \
     created_at, owned) \
     SELECT agent_id, 'live', $18, $19, $20, $21, $22, $23, $24, $25, desired + 1, 0, 0, false, $2, $2, 0, '[]', $2, \
     coalesce((SELECT owned FROM stays), '[]') FROM retired), ",
    audit_and_report!()
);

const DELETE: &str = concat!(
    "WITH retired AS (",
    retire!("$15"),
    " FROM agents AS agent WHERE sync_targets.agent_id = $13 AND role = 'live' AND agent.id = sync_targets.agent_id \
     AND ($14 IS NULL OR agent.workspace = $14) RETURNING agent_id), \
     deleted AS (UPDATE agents SET deleted_at = $2, revision = revision + 1 FROM retired \
     WHERE agents.id = retired.agent_id RETURNING agents.id), \
     audited AS (",
    insert_line!(),
    "deleted) SELECT EXISTS (SELECT FROM deleted) AS changed, ",
    missed!("retired", "$13", "$14"),
    ", false AS present"
);

const REQUEST_SYNC: &str = concat!(
    "WITH raised AS (UPDATE sync_targets AS target SET desired = desired + 1, next_attempt_at = $2, blocked = false, \
     attempt = 0 FROM agents AS agent WHERE target.agent_id = $13 AND target.role = 'live' \
     AND agent.id = target.agent_id AND ($14 IS NULL OR agent.workspace = $14) RETURNING target.id), \
     audited AS (",
    insert_line!(),
    "raised) SELECT EXISTS (SELECT FROM raised) AS changed, ",
    missed!("raised", "$13", "$14"),
    ", false AS present"
);

#[derive(QueryableByName)]
struct Changed {
    #[diesel(sql_type = Bool)]
    changed: bool,
    #[diesel(sql_type = Bool)]
    present: bool,
}

pub(super) async fn update(
    store: &PostgresStore,
    update: &AgentUpdate,
    line: &AuditLine,
) -> Result<(), UpdateAgentError> {
    let rows = store.write::<Changed>(statement(update, line)).await.map_err(refusal)?;
    match rows.first() {
        Some(Changed { changed: true, .. }) => {
            if !matches!(update.target, TargetUpdate::Keep) {
                store.signals.announce(Topic::Sync);
            }
            Ok(())
        }
        Some(Changed { present: true, .. }) => Err(UpdateAgentError::Conflict),
        _ => Err(UpdateAgentError::NotFound),
    }
}

fn statement(update: &AgentUpdate, line: &AuditLine) -> Statement {
    let text = match &update.target {
        TargetUpdate::Keep => KEEP,
        TargetUpdate::Rekey(_) => REKEY,
        TargetUpdate::Move { .. } => MOVE,
    };
    let change = with_line(text, line)
        .uuid(update.id.as_uuid())
        .number(number(update.revision))
        .text(update.name.as_str())
        .number(update.updated_at.as_microseconds());
    match &update.target {
        TargetUpdate::Keep => change,
        TargetUpdate::Rekey(target) => change
            .optional_text(target.device_id.as_deref())
            .bytes(target.secrets.0.as_slice())
            .number(number(target.secrets_version)),
        TargetUpdate::Move { to, purge_until } => with_target(change.number(purge_until.as_microseconds()), to),
    }
}

fn refusal(error: StoreError) -> UpdateAgentError {
    match error.broken_constraint() {
        Some(GATEWAY_UNIQUE) => UpdateAgentError::GatewayTaken,
        _ => Unavailable::from(error).into(),
    }
}

pub(super) async fn delete(
    store: &PostgresStore,
    reach: &Reach,
    id: AgentId,
    purge_until: Timestamp,
    line: &AuditLine,
) -> Result<bool, StoreError> {
    let delete = || {
        let delete = with_line(DELETE, line).uuid(id.as_uuid()).optional_text(workspace_of(reach));
        delete.number(purge_until.as_microseconds())
    };
    Ok(contention::delete(store, delete, (id, line.at)).await?.changed)
}

pub(super) async fn request_sync(
    store: &PostgresStore,
    reach: &Reach,
    id: AgentId,
    line: &AuditLine,
) -> Result<bool, StoreError> {
    let request = || Ok(with_line(REQUEST_SYNC, line).uuid(id.as_uuid()).optional_text(workspace_of(reach)));
    Ok(contention::change(store, request).await?.changed)
}
