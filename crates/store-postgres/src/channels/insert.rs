//! Making a channel.

use nora_kernel::audit::AuditLine;
use nora_kernel::{Idempotency, IdempotencyTaken, Timestamp, Unavailable};
use nora_webhooks::StoredChannel;
use nora_webhooks::ports::InsertChannelError;

use super::row::with_secrets;
use crate::audit::{insert_line, with_line};
use crate::error::StoreError;
use crate::idempotency::{self, remember, with_answer};
use crate::rows::{Number, any, number, object_text};
use crate::statement::Statement;
use crate::store::PostgresStore;

const ID_UNIQUE: &str = "channels_pkey";

/// Without an agent every other part comes to nothing. The lock keeps it from being deleted meanwhile.
const INSERT: &str = concat!(
    "WITH locked AS MATERIALIZED (SELECT id FROM agents WHERE id = $21 AND workspace = $22 AND deleted_at IS NULL \
     FOR SHARE), ",
    remember!("locked"),
    "added AS (INSERT INTO channels (id, agent_id, kind, name, config, verification, enabled, paused, revision, \
     enrol_until, created_at, updated_at) \
     SELECT $23, locked.id, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33 \
     FROM locked, (SELECT count(*) FROM remembered) AS answered RETURNING id), \
     sealed AS (INSERT INTO channel_secrets (id, channel_id, role, secret, created_at, expires_at) \
     SELECT secret.id, added.id, secret.role, secret.sealed, secret.created_at, secret.expires_at FROM added, \
     unnest($34, $35, $36, $37, $38) AS secret (id, role, sealed, created_at, expires_at)), \
     audited AS (",
    insert_line!(),
    "added) SELECT count(*) AS value FROM added"
);

pub(super) async fn insert(
    store: &PostgresStore,
    stored: &StoredChannel,
    line: &AuditLine,
    answer: Option<&Idempotency>,
) -> Result<(), InsertChannelError> {
    let insert = statement(stored, line, answer).map_err(Unavailable::from)?;
    let added = store.write::<Number>(insert).await.map_err(refusal)?;
    if any(&added) { Ok(()) } else { Err(InsertChannelError::AgentNotFound) }
}

fn statement(
    StoredChannel { channel, workspace, revision, enrol_until, secrets }: &StoredChannel,
    line: &AuditLine,
    answer: Option<&Idempotency>,
) -> Result<Statement, StoreError> {
    let insert = with_answer(with_line(INSERT, line), answer)?
        .uuid(channel.agent.as_uuid())
        .text(workspace.as_str())
        .uuid(channel.id.as_uuid())
        .text(channel.kind.as_str())
        .text(channel.name.as_str())
        .text(object_text(&channel.config))
        .text(channel.verification.as_str())
        .flag(channel.enabled)
        .flag(channel.paused)
        .number(number(*revision))
        .optional_number(enrol_until.map(Timestamp::as_microseconds))
        .number(channel.created_at.as_microseconds())
        .number(channel.updated_at.as_microseconds());
    Ok(with_secrets(insert, secrets))
}

fn refusal(error: StoreError) -> InsertChannelError {
    match error.broken_constraint() {
        Some(idempotency::UNIQUE) => IdempotencyTaken.into(),
        Some(ID_UNIQUE) => InsertChannelError::Exists,
        _ => Unavailable::from(error).into(),
    }
}
