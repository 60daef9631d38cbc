//! Registering an agent.

use nora_agents::ports::{InsertAgentError, StoredAgent};
use nora_kernel::audit::AuditLine;
use nora_kernel::{Idempotency, IdempotencyTaken, Unavailable};

use super::GATEWAY_UNIQUE;
use crate::audit::{insert_line, with_line};
use crate::error::StoreError;
use crate::idempotency::{self, remember, with_answer};
use crate::rows::{Number, number};
use crate::signals::Topic;
use crate::statement::Statement;
use crate::store::PostgresStore;
use crate::targets::with_target;

const ID_UNIQUE: &str = "agents_pkey";

/// Each part reads from the one before it, so a twin of an earlier request fails on its key before it fails on
/// anything else.
const INSERT: &str = concat!(
    "WITH ",
    remember!(),
    "created AS (INSERT INTO agents (id, workspace, name, data_key, revision, created_at, updated_at) \
     SELECT $21, $22, $23, $24, $25, $26, $27 FROM (SELECT count(*) FROM remembered) AS answered RETURNING id), \
     placed AS (INSERT INTO sync_targets (agent_id, role, id, kind, url, gateway_url, gateway_origin, device_id, \
     secrets, secrets_version, desired, applied, attempt, blocked, next_attempt_at, next_check_at, fence, variables, \
     created_at) \
     SELECT created.id, 'live', $28, $29, $30, $31, $32, $33, $34, $35, 1, 0, 0, false, $2, $2, 0, '[]', $2 \
     FROM created RETURNING id), \
     audited AS (",
    insert_line!(),
    "placed) SELECT count(*) AS value FROM placed"
);

pub(super) async fn insert(
    store: &PostgresStore,
    stored: &StoredAgent,
    line: &AuditLine,
    answer: Option<&Idempotency>,
) -> Result<(), InsertAgentError> {
    let insert = statement(stored, line, answer).map_err(Unavailable::from)?;
    store.write::<Number>(insert).await.map_err(refusal)?;
    store.signals.announce(Topic::Sync);
    Ok(())
}

fn statement(
    StoredAgent { agent, key, target, revision }: &StoredAgent,
    line: &AuditLine,
    answer: Option<&Idempotency>,
) -> Result<Statement, StoreError> {
    let insert = with_answer(with_line(INSERT, line), answer)?
        .uuid(agent.id.as_uuid())
        .text(agent.workspace.as_str())
        .text(agent.name.as_str())
        .bytes(key.0.as_slice())
        .number(number(*revision))
        .number(agent.created_at.as_microseconds())
        .number(agent.updated_at.as_microseconds());
    Ok(with_target(insert, target))
}

fn refusal(error: StoreError) -> InsertAgentError {
    match error.broken_constraint() {
        Some(idempotency::UNIQUE) => IdempotencyTaken.into(),
        Some(ID_UNIQUE) => InsertAgentError::AgentExists,
        Some(GATEWAY_UNIQUE) => InsertAgentError::GatewayTaken,
        _ => Unavailable::from(error).into(),
    }
}
