//! Changing, keying and removing channels.

use diesel::QueryableByName;
use diesel::result::Error as DieselError;
use diesel::sql_types::Bool;
use diesel_async::{AsyncConnection as _, AsyncPgConnection};
use futures_util::FutureExt as _;
use nora_kernel::audit::AuditLine;
use nora_kernel::{AgentId, ChannelId, Idempotency, IdempotencyTaken, Reach, Timestamp, Unavailable};
use nora_webhooks::NewSecret;
use nora_webhooks::ports::{ChangeChannelError, ChannelUpdate, Enrolment, SecretsUpdate};

use super::row::with_secrets;
use crate::audit::{insert_line, with_line};
use crate::channels::open_channel;
use crate::error::StoreError;
use crate::idempotency::{self, remember, with_answer};
use crate::rows::{Number, any, number, object_text, workspace_of};
use crate::signals::Topic;
use crate::statement::Statement;
use crate::store::PostgresStore;

/// The answer comes first, so a twin of an earlier request fails on its key and not on the revision. Secrets the
/// channel had are kept as they are but for their end.
const UPDATE: &str = concat!(
    "WITH ",
    remember!(),
    "changed AS (UPDATE channels SET name = $24, config = $25, verification = $26, enrol_until = $27, enabled = $28, \
     paused = $29, updated_at = $30, revision = channels.revision + 1 \
     FROM agents AS agent, (SELECT count(*) FROM remembered) AS answered \
     WHERE channels.id = $21 AND channels.agent_id = $22 AND channels.revision = $23 AND channels.removed_at IS NULL \
     AND agent.id = channels.agent_id AND agent.deleted_at IS NULL RETURNING channels.id), \
     dropped AS (DELETE FROM channel_secrets USING changed WHERE channel_secrets.channel_id = changed.id AND $31 \
     AND channel_secrets.id <> ALL ($32)), \
     sealed AS (INSERT INTO channel_secrets (id, channel_id, role, secret, created_at, expires_at) \
     SELECT secret.id, changed.id, secret.role, secret.sealed, secret.created_at, secret.expires_at FROM changed, \
     unnest($32, $33, $34, $35, $36) AS secret (id, role, sealed, created_at, expires_at) \
     ON CONFLICT (id) DO UPDATE SET expires_at = excluded.expires_at), \
     audited AS (",
    insert_line!(),
    "changed) SELECT EXISTS (SELECT FROM changed) AS changed, EXISTS (SELECT FROM channels AS channel \
     JOIN agents AS agent ON agent.id = channel.agent_id WHERE channel.id = $21 AND channel.agent_id = $22 \
     AND channel.removed_at IS NULL AND agent.deleted_at IS NULL) AS present"
);

/// A statement of its own: it has to see the lanes that were added while the channel's row was waited for. What was
/// waiting for the channel is due at once.
const PAUSE: &str = "UPDATE lanes SET paused = $2, due_at = CASE WHEN $2 THEN due_at ELSE least(due_at, $3) END \
                     WHERE channel_id = $1 AND paused <> $2";

const ENROL: &str = concat!(
    "WITH keyed AS (UPDATE channels SET verification = 'secret', enrol_until = NULL, updated_at = $14, \
     revision = channels.revision + 1 FROM agents AS agent WHERE channels.id = $13 AND channels.enabled \
     AND channels.verification = 'handshake' AND channels.enrol_until > $14 AND channels.removed_at IS NULL \
     AND agent.id = channels.agent_id AND agent.deleted_at IS NULL RETURNING channels.id), \
     sealed AS (INSERT INTO channel_secrets (id, channel_id, role, secret, created_at, expires_at) \
     SELECT secret.id, keyed.id, secret.role, secret.sealed, secret.created_at, secret.expires_at FROM keyed, \
     unnest($15, $16, $17, $18, $19) AS secret (id, role, sealed, created_at, expires_at)), \
     audited AS (",
    insert_line!(),
    "keyed) SELECT count(*) AS value FROM keyed"
);

const REMOVE: &str = concat!(
    "WITH removed AS (UPDATE channels SET removed_at = $2 WHERE removed_at IS NULL AND id = ANY (ARRAY(",
    open_channel!("$13", "$14", "$15"),
    ")) RETURNING id), \
     destroyed AS (DELETE FROM channel_secrets USING removed WHERE channel_secrets.channel_id = removed.id), \
     audited AS (",
    insert_line!(),
    "removed) SELECT count(*) AS value FROM removed"
);

const HOLD: &str = "UPDATE lanes SET paused = true WHERE channel_id = $1 AND NOT paused";

/// What becomes of a deleted agent's channels, one statement after the other.
const CLOSE: &str = "UPDATE channels SET removed_at = $2 WHERE agent_id = $1 AND removed_at IS NULL";
const CLEAR: [&str; 2] = [
    "DELETE FROM channel_secrets USING channels WHERE channels.agent_id = $1 \
     AND channel_secrets.channel_id = channels.id AND channels.removed_at IS NOT NULL",
    "UPDATE lanes SET paused = true FROM channels WHERE channels.agent_id = $1 \
     AND lanes.channel_id = channels.id AND NOT lanes.paused AND channels.removed_at IS NOT NULL",
];

#[derive(QueryableByName)]
struct Changed {
    #[diesel(sql_type = Bool)]
    changed: bool,
    #[diesel(sql_type = Bool)]
    present: bool,
}

/// Why a transaction is rolled back.
enum Abort {
    /// The channel is not as it was, or not at all.
    Refused(Changed),
    Failed(StoreError),
}

impl From<DieselError> for Abort {
    fn from(error: DieselError) -> Self {
        Self::Failed(error.into())
    }
}

pub(super) async fn update(
    store: &PostgresStore,
    update: &ChannelUpdate,
    line: &AuditLine,
    answer: Option<&Idempotency>,
) -> Result<(), ChangeChannelError> {
    let change = updating(update, line, answer).map_err(Unavailable::from)?;
    let pause =
        Statement::new(PAUSE).uuid(update.id.as_uuid()).flag(update.paused).number(update.updated_at.as_microseconds());
    let changed = store.work(move |connection| change_and_pause(connection, change, pause).boxed()).await;
    match changed.map_err(refusal)? {
        Changed { changed: true, .. } => {
            store.signals.announce(Topic::Delivery);
            Ok(())
        }
        Changed { present: true, .. } => Err(ChangeChannelError::Conflict),
        Changed { .. } => Err(ChangeChannelError::NotFound),
    }
}

fn updating(update: &ChannelUpdate, line: &AuditLine, answer: Option<&Idempotency>) -> Result<Statement, StoreError> {
    let (replaced, secrets) = match &update.secrets {
        SecretsUpdate::Keep => (false, [].as_slice()),
        SecretsUpdate::Replace(secrets) => (true, secrets.as_slice()),
    };
    let change = with_answer(with_line(UPDATE, line), answer)?
        .uuid(update.id.as_uuid())
        .uuid(update.agent.as_uuid())
        .number(number(update.from_revision))
        .text(update.name.as_str())
        .text(object_text(&update.config))
        .text(update.verification.as_str())
        .optional_number(update.enrol_until.map(Timestamp::as_microseconds))
        .flag(update.enabled)
        .flag(update.paused)
        .number(update.updated_at.as_microseconds())
        .flag(replaced);
    Ok(with_secrets(change, secrets))
}

async fn change_and_pause(
    connection: &mut AsyncPgConnection,
    change: Statement,
    pause: Statement,
) -> Result<Changed, StoreError> {
    let ended = connection
        .transaction(async |connection| {
            let rows = change.load::<Changed>(connection).await?;
            let changed = rows.into_iter().next().unwrap_or(Changed { changed: false, present: false });
            if !changed.changed {
                return Err(Abort::Refused(changed));
            }
            pause.run(connection).await?;
            Ok(changed)
        })
        .await;
    match ended {
        Ok(changed) | Err(Abort::Refused(changed)) => Ok(changed),
        Err(Abort::Failed(error)) => Err(error),
    }
}

fn refusal(error: StoreError) -> ChangeChannelError {
    match error.broken_constraint() {
        Some(idempotency::UNIQUE) => IdempotencyTaken.into(),
        _ => Unavailable::from(error).into(),
    }
}

pub(super) async fn enrol(
    store: &PostgresStore,
    id: ChannelId,
    secret: &NewSecret,
    now: Timestamp,
    line: &AuditLine,
) -> Result<Enrolment, StoreError> {
    let enrol = with_line(ENROL, line).uuid(id.as_uuid()).number(now.as_microseconds());
    let keyed = store.write::<Number>(with_secrets(enrol, std::slice::from_ref(secret))).await?;
    Ok(if any(&keyed) { Enrolment::Done } else { Enrolment::Refused })
}

pub(super) async fn remove(
    store: &PostgresStore,
    reach: &Reach,
    agent: AgentId,
    id: ChannelId,
    line: &AuditLine,
) -> Result<bool, StoreError> {
    let remove = with_line(REMOVE, line).uuid(agent.as_uuid()).optional_text(workspace_of(reach)).uuid(id.as_uuid());
    let hold = Statement::new(HOLD).uuid(id.as_uuid());
    store.work(move |connection| remove_and_hold(connection, remove, hold).boxed()).await
}

async fn remove_and_hold(
    connection: &mut AsyncPgConnection,
    remove: Statement,
    hold: Statement,
) -> Result<bool, StoreError> {
    connection
        .transaction(async |connection| {
            let removed = any(&remove.load::<Number>(connection).await?);
            if removed {
                hold.run(connection).await?;
            }
            Ok(removed)
        })
        .await
}

/// Removes the channels of an agent that is deleted in the same transaction.
pub(crate) async fn close_all(
    connection: &mut AsyncPgConnection,
    agent: AgentId,
    at: Timestamp,
) -> Result<(), StoreError> {
    let close = Statement::new(CLOSE).uuid(agent.as_uuid()).number(at.as_microseconds());
    if close.run(connection).await? > 0 {
        for clear in CLEAR {
            Statement::new(clear).uuid(agent.as_uuid()).run(connection).await?;
        }
    }
    Ok(())
}
