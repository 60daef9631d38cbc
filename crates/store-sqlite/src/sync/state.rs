//! The state of an agent's sync, as it is shown.

use diesel::prelude::*;
use diesel::sqlite::Sqlite;
use nora_integrations::Integration;
use nora_integrations::ports::{Failure, FailureClass, RemovalRecord, SyncRecord};
use nora_kernel::{EnvName, Label, ProviderId};

use super::variables::Variables;
use crate::failure::{Ending, corrupt};
use crate::integrations::IntegrationRow;
use crate::reach::{Within, within};
use crate::schema::{agents, integrations, removals, sync_targets};
use crate::targets::Live;
use crate::value::{Count, Id, Names, Parsed, Time};

/// How many removals are shown.
const REMOVALS: i64 = 100;

#[derive(Queryable, Selectable)]
#[diesel(table_name = sync_targets, check_for_backend(Sqlite))]
struct StateRow {
    desired: Count,
    applied: Count,
    blocked: bool,
    next_attempt_at: Time,
    last_synced_at: Option<Time>,
    failure_class: Option<String>,
    failure_at: Option<Time>,
    device_id: Option<String>,
    variables: Variables,
}

impl StateRow {
    /// When the next push is to be tried, unless none is.
    fn next_attempt_at(&self) -> Option<Time> {
        (!self.blocked).then_some(self.next_attempt_at)
    }

    fn last_failure(&self) -> Ending<Option<Failure>> {
        let (Some(class), Some(at)) = (&self.failure_class, self.failure_at) else { return Ok(None) };
        let class = FailureClass::from_wire(class).ok_or_else(|| corrupt("a failure is of no known class"))?;
        let next_attempt_at = self.next_attempt_at().map(|next| next.0);
        Ok(Some(Failure { class, at: at.0, next_attempt_at }))
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = removals, check_for_backend(Sqlite))]
struct RemovalRow {
    integration_id: Id,
    provider: Parsed<ProviderId>,
    label: Parsed<Label>,
    names: Names<EnvName>,
    confirmed_at: Option<Time>,
}

impl From<RemovalRow> for RemovalRecord {
    fn from(row: RemovalRow) -> Self {
        Self {
            integration: row.integration_id.into(),
            provider: row.provider.0,
            label: row.label.0,
            names: row.names.0,
            confirmed_at: row.confirmed_at.map(|time| time.0),
        }
    }
}

pub(super) fn state(connection: &mut SqliteConnection, reach: &Within, agent: Id) -> Ending<Option<SyncRecord>> {
    let row: Option<StateRow> = sync_targets::table
        .inner_join(agents::table.on(agents::id.eq(sync_targets::agent_id)))
        .filter(sync_targets::agent_id.eq(agent))
        .filter(sync_targets::role.eq(Live))
        .filter(agents::deleted_at.is_null())
        .filter(within!(agents::workspace, reach))
        .select(StateRow::as_select())
        .get_result(connection)
        .optional()?;
    let Some(row) = row else { return Ok(None) };
    let behind = row.desired > row.applied;
    Ok(Some(SyncRecord {
        desired: row.desired.0,
        applied: row.applied.0,
        last_synced_at: row.last_synced_at.map(|time| time.0),
        next_attempt_at: row.next_attempt_at().filter(|_| behind).map(|time| time.0),
        last_failure: row.last_failure()?,
        device_id: row.device_id,
        variables: row.variables.0,
        integrations: integrations(connection, agent)?,
        removals: removals(connection, agent)?,
    }))
}

fn integrations(connection: &mut SqliteConnection, agent: Id) -> QueryResult<Vec<(Integration, u64)>> {
    let rows: Vec<IntegrationRow> = integrations::table
        .filter(integrations::agent_id.eq(agent))
        .order((integrations::created_at.desc(), integrations::id.desc()))
        .select(IntegrationRow::as_select())
        .load(connection)?;
    Ok(rows.into_iter().map(|row| (row.generation(), row)).map(|(generation, row)| (row.into(), generation)).collect())
}

fn removals(connection: &mut SqliteConnection, agent: Id) -> QueryResult<Vec<RemovalRecord>> {
    let rows: Vec<RemovalRow> = removals::table
        .filter(removals::agent_id.eq(agent))
        .order((removals::removed_at.desc(), removals::integration_id.desc()))
        .limit(REMOVALS)
        .select(RemovalRow::as_select())
        .load(connection)?;
    Ok(rows.into_iter().map(RemovalRecord::from).collect())
}
