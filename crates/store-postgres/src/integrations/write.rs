//! Adding, changing and removing integrations.
//!
//! Each statement locks the agent's live target before it touches an integration: changes of one agent happen one
//! after the other, and two of them cannot wait for each other.

use diesel::QueryableByName;
use diesel::sql_types::Uuid as UuidType;
use nora_integrations::Integration;
use nora_integrations::ports::{InsertError, IntegrationUpdate, NewIntegration, Removal, UpdateError};
use nora_kernel::audit::AuditLine;
use nora_kernel::{AgentId, EnvName, Idempotency, IdempotencyTaken, IntegrationId, Reach, Unavailable};
use uuid::Uuid;

use crate::audit::{insert_line, with_line};
use crate::contention::{Outcome, change, missed};
use crate::error::StoreError;
use crate::idempotency::{self, remember, with_answer};
use crate::rows::{names_text, number, object_text, workspace_of};
use crate::statement::Statement;
use crate::store::PostgresStore;

const UNIQUE: &str = "integrations_agent_provider_label_key";

/// Without a live target every other part comes to nothing.
const INSERT: &str = concat!(
    "WITH raised AS (UPDATE sync_targets AS target SET desired = desired + 1, next_attempt_at = $2 \
     FROM agents AS agent WHERE target.agent_id = $21 AND target.role = 'live' AND agent.id = target.agent_id \
     AND agent.workspace = $22 RETURNING target.desired), ",
    remember!("raised"),
    "added AS (INSERT INTO integrations (id, agent_id, provider, label, config, secret_fields, secrets, \
     secrets_version, readable, generation, created_at, updated_at) \
     SELECT $23, $21, $24, $25, $26, $27, $28, 1, $29, raised.desired, $30, $31 \
     FROM raised, (SELECT count(*) FROM remembered) AS answered RETURNING id), \
     audited AS (",
    insert_line!(),
    "added) SELECT EXISTS (SELECT FROM added) AS changed, ",
    missed!("raised", "$21", "$22"),
    ", false AS present"
);

const EXISTING: &str = "SELECT id FROM integrations WHERE agent_id = $1 AND provider = $2 AND label = $3";

const UPDATE: &str = concat!(
    "WITH locked AS MATERIALIZED (SELECT id, desired FROM sync_targets \
     WHERE agent_id = $13 AND role = 'live' FOR UPDATE), \
     changed AS (UPDATE integrations SET config = $15, updated_at = $16, generation = locked.desired + 1, \
     secrets = CASE WHEN $19 THEN $20 ELSE secrets END, \
     secret_fields = CASE WHEN $19 THEN $21 ELSE secret_fields END, \
     secrets_version = CASE WHEN $19 THEN $22 ELSE secrets_version END, \
     readable = readable OR $19 \
     FROM locked WHERE integrations.id = $14 AND integrations.agent_id = $13 \
     AND integrations.secrets_version = $17 AND integrations.updated_at = $18 RETURNING integrations.id), \
     raised AS (UPDATE sync_targets SET desired = sync_targets.desired + 1, next_attempt_at = $2 \
     FROM locked, changed WHERE sync_targets.id = locked.id), \
     audited AS (",
    insert_line!(),
    "changed) SELECT EXISTS (SELECT FROM changed) AS changed, ",
    missed!("locked", "$13", "NULL::text"),
    ", EXISTS (SELECT FROM locked, integrations WHERE integrations.id = $14 AND integrations.agent_id = $13) AS present"
);

const REMOVE: &str = concat!(
    "WITH locked AS MATERIALIZED (SELECT target.id, target.desired FROM sync_targets AS target \
     JOIN agents AS agent ON agent.id = target.agent_id WHERE target.agent_id = $13 AND target.role = 'live' \
     AND ($14 IS NULL OR agent.workspace = $14) FOR UPDATE OF target), \
     removed AS (DELETE FROM integrations USING locked WHERE integrations.id = $15 AND integrations.agent_id = $13 \
     RETURNING integrations.id, integrations.agent_id, integrations.provider, integrations.label, \
     locked.id AS target_id, locked.desired + 1 AS generation), \
     raised AS (UPDATE sync_targets SET desired = removed.generation, next_attempt_at = $2 \
     FROM removed WHERE sync_targets.id = removed.target_id), \
     recorded AS (INSERT INTO removals (integration_id, agent_id, provider, label, names, generation, removed_at) \
     SELECT id, agent_id, provider, label, $16, generation, $2 FROM removed), \
     audited AS (",
    insert_line!(),
    "removed) SELECT EXISTS (SELECT FROM removed) AS changed, ",
    missed!("locked", "$13", "$14"),
    ", false AS present"
);

#[derive(QueryableByName)]
struct Existing {
    #[diesel(sql_type = UuidType)]
    id: Uuid,
}

pub(super) async fn insert(
    store: &PostgresStore,
    new: &NewIntegration,
    line: &AuditLine,
    answer: Option<&Idempotency>,
) -> Result<(), InsertError> {
    match change(store, || insertion(new, line, answer)).await {
        Ok(Outcome { changed: true, .. }) => Ok(()),
        Ok(_) => Err(InsertError::AgentNotFound),
        Err(error) => Err(refusal(store, &new.integration, error).await),
    }
}

fn insertion(
    NewIntegration { integration, workspace, secrets }: &NewIntegration,
    line: &AuditLine,
    answer: Option<&Idempotency>,
) -> Result<Statement, StoreError> {
    Ok(with_answer(with_line(INSERT, line), answer)?
        .uuid(integration.agent.as_uuid())
        .text(workspace.as_str())
        .uuid(integration.id.as_uuid())
        .text(integration.provider.as_str())
        .text(integration.label.as_str())
        .text(object_text(&integration.config))
        .text(names_text(&integration.secret_fields))
        .optional_bytes(secrets.as_ref().map(|sealed| sealed.0.clone()))
        .flag(integration.readable)
        .number(integration.created_at.as_microseconds())
        .number(integration.updated_at.as_microseconds()))
}

async fn refusal(store: &PostgresStore, integration: &Integration, error: StoreError) -> InsertError {
    match error.broken_constraint() {
        Some(idempotency::UNIQUE) => IdempotencyTaken.into(),
        Some(UNIQUE) => {
            let existing = Statement::new(EXISTING)
                .uuid(integration.agent.as_uuid())
                .text(integration.provider.as_str())
                .text(integration.label.as_str());
            match store.select::<Existing>(existing).await {
                Ok(rows) => match rows.first() {
                    Some(existing) => InsertError::Exists(IntegrationId::from_uuid(existing.id)),
                    // It was removed between the two statements: the next try will do.
                    None => Unavailable::transient(error).into(),
                },
                Err(error) => Unavailable::from(error).into(),
            }
        }
        _ => Unavailable::from(error).into(),
    }
}

pub(super) async fn update(
    store: &PostgresStore,
    update: &IntegrationUpdate,
    line: &AuditLine,
) -> Result<(), UpdateError> {
    match change(store, || Ok(updating(update, line))).await.map_err(Unavailable::from)? {
        Outcome { changed: true, .. } => Ok(()),
        Outcome { present: true, .. } => Err(UpdateError::Conflict),
        Outcome { .. } => Err(UpdateError::NotFound),
    }
}

fn updating(update: &IntegrationUpdate, line: &AuditLine) -> Statement {
    let resealed = update.secrets.as_ref();
    with_line(UPDATE, line)
        .uuid(update.agent.as_uuid())
        .uuid(update.id.as_uuid())
        .text(object_text(&update.config))
        .number(update.updated_at.as_microseconds())
        .number(number(update.from_version))
        .number(update.from_updated_at.as_microseconds())
        .flag(resealed.is_some())
        .optional_bytes(resealed.and_then(|new| new.sealed.as_ref()).map(|sealed| sealed.0.clone()))
        .optional_text(resealed.map(|new| names_text(&new.fields)))
        .optional_number(resealed.map(|new| number(new.version)))
}

pub(super) async fn remove(
    store: &PostgresStore,
    reach: &Reach,
    agent: AgentId,
    id: IntegrationId,
    names: &[EnvName],
    line: &AuditLine,
) -> Result<Removal, StoreError> {
    let remove = || {
        let remove = with_line(REMOVE, line).uuid(agent.as_uuid()).optional_text(workspace_of(reach));
        Ok(remove.uuid(id.as_uuid()).text(names_text(names)))
    };
    let removed = change(store, remove).await?.changed;
    Ok(if removed { Removal::Removed } else { Removal::Absent })
}
