//! Integrations.

mod change;
mod row;

use async_trait::async_trait;
use diesel::prelude::*;
use nora_integrations::ports::{
    InsertError, IntegrationStore, IntegrationUpdate, NewIntegration, Removal, UpdateError,
};
use nora_integrations::{Integration, StoredIntegration};
use nora_kernel::audit::AuditLine;
use nora_kernel::{AgentId, EnvName, Idempotency, IntegrationId, Reach, Unavailable, Workspace, WrappedKey};

pub(crate) use row::IntegrationRow;

use crate::SqliteStore;
use crate::audit::write_line;
use crate::failure::Ending;
use crate::reach::{Within, within};
use crate::schema::{agents, integrations};
use crate::value::{Id, Parsed};

type Found = Option<(StoredIntegration, WrappedKey)>;

fn find(connection: &mut SqliteConnection, reach: &Within, agent: Id, id: Id) -> QueryResult<Found> {
    let found: Option<(IntegrationRow, Parsed<Workspace>, Vec<u8>)> = integrations::table
        .inner_join(agents::table.on(agents::id.eq(integrations::agent_id)))
        .filter(integrations::id.eq(id))
        .filter(integrations::agent_id.eq(agent))
        .filter(agents::deleted_at.is_null())
        .filter(within!(agents::workspace, reach))
        .select((IntegrationRow::as_select(), agents::workspace, agents::data_key))
        .get_result(connection)
        .optional()?;
    Ok(found.map(|(row, workspace, key)| (row.into_stored(&workspace.0), WrappedKey(key))))
}

/// The agent and its integrations in one statement: an agent without any has one row without one.
fn list(connection: &mut SqliteConnection, reach: &Within, agent: Id) -> Ending<Option<Vec<Integration>>> {
    let rows: Vec<Option<IntegrationRow>> = agents::table
        .left_join(integrations::table.on(integrations::agent_id.eq(agents::id)))
        .filter(agents::id.eq(agent))
        .filter(agents::deleted_at.is_null())
        .filter(within!(agents::workspace, reach))
        .order((integrations::created_at.desc(), integrations::id.desc()))
        .select(Option::<IntegrationRow>::as_select())
        .load(connection)?;
    let found = !rows.is_empty();
    Ok(found.then(|| rows.into_iter().flatten().map(Integration::from).collect()))
}

/// An agent's integrations, oldest first.
pub(crate) fn of_agent(
    connection: &mut SqliteConnection,
    agent: Id,
    workspace: &Workspace,
) -> QueryResult<Vec<StoredIntegration>> {
    let rows: Vec<IntegrationRow> = integrations::table
        .filter(integrations::agent_id.eq(agent))
        .order((integrations::created_at.asc(), integrations::id.asc()))
        .select(IntegrationRow::as_select())
        .load(connection)?;
    Ok(rows.into_iter().map(|row| row.into_stored(workspace)).collect())
}

#[async_trait]
impl IntegrationStore for SqliteStore {
    async fn agent_key(&self, reach: &Reach, agent: AgentId) -> Result<Option<(Workspace, WrappedKey)>, Unavailable> {
        let reach = Within::from(reach);
        self.read(move |connection| {
            let found: Option<(Parsed<Workspace>, Vec<u8>)> = agents::table
                .filter(agents::id.eq(Id::from(agent)))
                .filter(agents::deleted_at.is_null())
                .filter(within!(agents::workspace, reach))
                .select((agents::workspace, agents::data_key))
                .get_result(connection)
                .optional()?;
            Ok(found.map(|(workspace, key)| (workspace.0, WrappedKey(key))))
        })
        .await
    }

    async fn insert(
        &self,
        integration: &NewIntegration,
        line: &AuditLine,
        idempotency: Option<&Idempotency>,
    ) -> Result<(), InsertError> {
        let (new, line, idempotency, now) = (integration.clone(), line.clone(), idempotency.cloned(), self.now());
        self.write(move |transaction| change::insert(transaction, &new, &line, idempotency.as_ref(), now)).await
    }

    async fn list(&self, reach: &Reach, agent: AgentId) -> Result<Option<Vec<Integration>>, Unavailable> {
        let reach = Within::from(reach);
        self.read(move |connection| list(connection, &reach, agent.into())).await
    }

    async fn find(&self, reach: &Reach, agent: AgentId, id: IntegrationId) -> Result<Found, Unavailable> {
        let reach = Within::from(reach);
        self.read(move |connection| Ok(find(connection, &reach, agent.into(), id.into())?)).await
    }

    async fn find_to_open(
        &self,
        reach: &Reach,
        agent: AgentId,
        id: IntegrationId,
        line: &AuditLine,
    ) -> Result<Found, Unavailable> {
        let (reach, line) = (Within::from(reach), line.clone());
        self.write(move |transaction| {
            let found = find(transaction.connection, &reach, agent.into(), id.into())?;
            if found.as_ref().is_some_and(|(stored, _)| stored.secrets.is_some()) {
                write_line(transaction.connection, &line)?;
            }
            Ok(found)
        })
        .await
    }

    async fn update(&self, update: &IntegrationUpdate, line: &AuditLine) -> Result<(), UpdateError> {
        let (update, line, now) = (update.clone(), line.clone(), self.now());
        self.write(move |transaction| change::update(transaction, &update, &line, now)).await
    }

    async fn remove(
        &self,
        reach: &Reach,
        agent: AgentId,
        id: IntegrationId,
        names: &[EnvName],
        line: &AuditLine,
    ) -> Result<Removal, Unavailable> {
        let (reach, names, line, now) = (Within::from(reach), names.to_vec(), line.clone(), self.now());
        self.write(move |transaction| {
            let removal = change::remove(transaction, &reach, (agent.into(), id.into()), names, now)?;
            if removal == Removal::Removed {
                write_line(transaction.connection, &line)?;
            }
            Ok(removal)
        })
        .await
    }
}
