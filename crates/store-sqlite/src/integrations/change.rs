//! What changes an agent's integrations, each change with the generation it raises.

use diesel::prelude::*;
use nora_integrations::ports::{InsertError, IntegrationUpdate, NewIntegration, Removal, ResealedSecrets, UpdateError};
use nora_kernel::audit::AuditLine;
use nora_kernel::{EnvName, Idempotency, Label, ProviderId, Timestamp};

use super::IntegrationRow;
use crate::agents::exists;
use crate::audit::write_line;
use crate::failure::{Abort, Ending};
use crate::idempotency::remember;
use crate::reach::Within;
use crate::schema::{integrations, removals};
use crate::targets::raise;
use crate::value::{Count, Id, Names, Object, Parsed, Time};
use crate::writer::Transaction;

pub(super) fn insert(
    transaction: &mut Transaction<'_>,
    new: &NewIntegration,
    line: &AuditLine,
    idempotency: Option<&Idempotency>,
    now: Timestamp,
) -> Ending<(), InsertError> {
    if let Some(record) = idempotency {
        remember(transaction.connection, record, now)?;
    }
    let agent = Id::from(new.integration.agent);
    let own = Within { workspace: new.workspace.to_string(), everything: false };
    if !exists(transaction.connection, &own, agent)? {
        return Err(Abort::Refused(InsertError::AgentNotFound));
    }
    let generation = raise(transaction, agent, now)?.ok_or(Abort::Refused(InsertError::AgentNotFound))?;
    let row = IntegrationRow::new(new, generation);
    let added = diesel::insert_into(integrations::table)
        .values(row)
        .on_conflict((integrations::agent_id, integrations::provider, integrations::label))
        .do_nothing()
        .execute(transaction.connection)?;
    if added == 0 {
        return Err(Abort::Refused(InsertError::Exists(same(transaction.connection, new)?.into())));
    }
    Ok(write_line(transaction.connection, line)?)
}

/// The integration that has the agent, provider and label of another.
fn same(connection: &mut SqliteConnection, new: &NewIntegration) -> QueryResult<Id> {
    integrations::table
        .filter(integrations::agent_id.eq(Id::from(new.integration.agent)))
        .filter(integrations::provider.eq(new.integration.provider.as_str()))
        .filter(integrations::label.eq(new.integration.label.as_str()))
        .select(integrations::id)
        .get_result(connection)
}

pub(super) fn update(
    transaction: &mut Transaction<'_>,
    update: &IntegrationUpdate,
    line: &AuditLine,
    now: Timestamp,
) -> Ending<(), UpdateError> {
    let (id, agent) = (Id::from(update.id), Id::from(update.agent));
    let present = integrations::table.filter(integrations::id.eq(id)).filter(integrations::agent_id.eq(agent));
    let state: Option<(Count, Time)> = present
        .select((integrations::secrets_version, integrations::updated_at))
        .get_result(transaction.connection)
        .optional()?;
    let state = state.ok_or(Abort::Refused(UpdateError::NotFound))?;
    // A deleted agent has no live target left.
    let generation = raise(transaction, agent, now)?.ok_or(Abort::Refused(UpdateError::NotFound))?;
    if state != (Count(update.from_version), Time(update.from_updated_at)) {
        return Err(Abort::Refused(UpdateError::Conflict));
    }
    diesel::update(present)
        .set((
            integrations::config.eq(Object(update.config.clone())),
            integrations::generation.eq(generation),
            integrations::updated_at.eq(Time(update.updated_at)),
        ))
        .execute(transaction.connection)?;
    if let Some(secrets) = &update.secrets {
        reseal(transaction.connection, id, secrets)?;
    }
    Ok(write_line(transaction.connection, line)?)
}

fn reseal(connection: &mut SqliteConnection, id: Id, secrets: &ResealedSecrets) -> QueryResult<()> {
    diesel::update(integrations::table.find(id))
        .set((
            integrations::secrets.eq(secrets.sealed.as_ref().map(|sealed| sealed.0.as_slice())),
            integrations::secret_fields.eq(Names(secrets.fields.clone())),
            integrations::secrets_version.eq(Count(secrets.version)),
            integrations::readable.eq(true),
        ))
        .execute(connection)
        .map(drop)
}

pub(super) fn remove(
    transaction: &mut Transaction<'_>,
    reach: &Within,
    (agent, id): (Id, Id),
    names: Vec<EnvName>,
    now: Timestamp,
) -> Ending<Removal> {
    if !exists(transaction.connection, reach, agent)? {
        return Ok(Removal::Absent);
    }
    let present = integrations::table.filter(integrations::id.eq(id)).filter(integrations::agent_id.eq(agent));
    let removed: Option<(Parsed<ProviderId>, Parsed<Label>)> = diesel::delete(present)
        .returning((integrations::provider, integrations::label))
        .get_result(transaction.connection)
        .optional()?;
    let Some((provider, label)) = removed else { return Ok(Removal::Absent) };
    let generation = raise(transaction, agent, now)?;
    let generation = generation.ok_or_else(|| crate::failure::corrupt("an agent without a live target"))?;
    let removal = (
        removals::integration_id.eq(id),
        removals::agent_id.eq(agent),
        removals::provider.eq(provider),
        removals::label.eq(label),
        removals::names.eq(Names(names)),
        removals::generation.eq(generation),
        removals::removed_at.eq(Time(now)),
    );
    diesel::insert_into(removals::table).values(removal).execute(transaction.connection)?;
    Ok(Removal::Removed)
}
