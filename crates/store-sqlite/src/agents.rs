//! Agents.

use async_trait::async_trait;
use diesel::prelude::*;
use diesel::sqlite::Sqlite;
use nora_agents::ports::{AgentStore, AgentUpdate, InsertAgentError, StoredAgent, TargetUpdate, UpdateAgentError};
use nora_agents::{Agent, AgentName, Gateway, Runtime, Target};
use nora_kernel::audit::AuditLine;
use nora_kernel::{AgentId, Idempotency, Page, PageRequest, Reach, Timestamp, Unavailable, Workspace, WrappedKey};

use crate::SqliteStore;
use crate::audit::write_line;
use crate::channels::close_all;
use crate::failure::{Abort, Ending, corrupt, is_taken};
use crate::idempotency::remember;
use crate::page::Behind;
use crate::reach::{Within, within};
use crate::schema::{agents, sync_targets};
use crate::targets::{GATEWAY, Live, TargetRow, inherit_owned, insert_live, raise, retire, unblock};
use crate::value::{Count, Id, Parsed, Time};
use crate::writer::Transaction;

/// The generation of a new agent's runtime: the empty set.
const FIRST: Count = Count(1);

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = agents, check_for_backend(Sqlite))]
struct AgentRow {
    id: Id,
    workspace: Parsed<Workspace>,
    name: Parsed<AgentName>,
    data_key: Vec<u8>,
    revision: Count,
    created_at: Time,
    updated_at: Time,
}

impl From<&StoredAgent> for AgentRow {
    fn from(StoredAgent { agent, key, revision, .. }: &StoredAgent) -> Self {
        Self {
            id: agent.id.into(),
            workspace: Parsed(agent.workspace.clone()),
            name: Parsed(agent.name.clone()),
            data_key: key.0.clone(),
            revision: Count(*revision),
            created_at: Time(agent.created_at),
            updated_at: Time(agent.updated_at),
        }
    }
}

fn stored<E>((row, target): (AgentRow, TargetRow)) -> Ending<StoredAgent, E> {
    let workspace = row.workspace.0;
    let target = target.into_target(workspace.clone());
    let target = target.ok_or_else(|| corrupt("an address of an agent does not parse"))?;
    let agent = Agent {
        id: row.id.into(),
        workspace,
        name: row.name.0,
        runtime: Runtime { kind: target.kind, url: target.url.clone() },
        gateway: gateway(&target)?,
        created_at: row.created_at.0,
        updated_at: row.updated_at.0,
    };
    Ok(StoredAgent { agent, key: WrappedKey(row.data_key), target, revision: row.revision.0 })
}

fn gateway<E>(target: &Target) -> Ending<Option<Gateway>, E> {
    match (&target.gateway, &target.device_id) {
        (None, None) => Ok(None),
        (Some(url), Some(device_id)) => Ok(Some(Gateway { url: url.clone(), device_id: device_id.clone() })),
        _ => Err(corrupt("a gateway without a device, or a device without a gateway")),
    }
}

fn insert(
    transaction: &mut Transaction<'_>,
    agent: &StoredAgent,
    line: &AuditLine,
    idempotency: Option<&Idempotency>,
    now: Timestamp,
) -> Ending<(), InsertAgentError> {
    if let Some(record) = idempotency {
        remember(transaction.connection, record, now)?;
    }
    let row = diesel::insert_into(agents::table).values(AgentRow::from(agent)).on_conflict_do_nothing();
    if row.execute(transaction.connection)? == 0 {
        return Err(Abort::Refused(InsertAgentError::AgentExists));
    }
    insert_live(transaction, &agent.target, FIRST, now)
        .map_err(|error| taken(error, InsertAgentError::GatewayTaken))?;
    Ok(write_line(transaction.connection, line)?)
}

/// What a failure to add a target means: `refusal` if its gateway belongs to another agent.
fn taken<E>(error: diesel::result::Error, refusal: E) -> Abort<E> {
    if is_taken(&error, GATEWAY) { Abort::Refused(refusal) } else { error.into() }
}

fn find(connection: &mut SqliteConnection, reach: &Within, id: Id) -> Ending<Option<StoredAgent>> {
    let rows: Option<(AgentRow, TargetRow)> = agents::table
        .inner_join(sync_targets::table.on(sync_targets::agent_id.eq(agents::id)))
        .filter(agents::id.eq(id))
        .filter(agents::deleted_at.is_null())
        .filter(within!(agents::workspace, reach))
        .filter(sync_targets::role.eq(Live))
        .select((AgentRow::as_select(), TargetRow::as_select()))
        .get_result(connection)
        .optional()?;
    rows.map(stored).transpose()
}

fn list(connection: &mut SqliteConnection, workspace: &Workspace, page: PageRequest) -> Ending<Page<Agent>> {
    let Behind { at, id } = page.after.into();
    let rows: Vec<(AgentRow, TargetRow)> = agents::table
        .inner_join(sync_targets::table.on(sync_targets::agent_id.eq(agents::id)))
        .filter(agents::workspace.eq(workspace.as_str()))
        .filter(agents::deleted_at.is_null())
        .filter(agents::created_at.le(at))
        .filter(agents::created_at.lt(at).or(agents::id.lt(id)))
        .filter(sync_targets::role.eq(Live))
        .order((agents::created_at.desc(), agents::id.desc()))
        .limit(i64::from(page.limit.get()) + 1)
        .select((AgentRow::as_select(), TargetRow::as_select()))
        .load(connection)?;
    let agents = rows.into_iter().map(|row| stored(row).map(|stored| stored.agent));
    Ok(Page::cut(agents.collect::<Ending<_>>()?, page.limit, Agent::cursor))
}

fn update(
    transaction: &mut Transaction<'_>,
    update: &AgentUpdate,
    line: &AuditLine,
    now: Timestamp,
) -> Ending<(), UpdateAgentError> {
    let id = Id::from(update.id);
    let present = agents::table.filter(agents::id.eq(id)).filter(agents::deleted_at.is_null());
    let revision: Option<Count> = present.select(agents::revision).get_result(transaction.connection).optional()?;
    let revision = revision.ok_or(Abort::Refused(UpdateAgentError::NotFound))?;
    if revision.0 != update.revision {
        return Err(Abort::Refused(UpdateAgentError::Conflict));
    }
    diesel::update(present)
        .set((
            agents::name.eq(Parsed(update.name.clone())),
            agents::updated_at.eq(Time(update.updated_at)),
            agents::revision.eq(agents::revision + 1_i64),
        ))
        .execute(transaction.connection)?;
    match &update.target {
        TargetUpdate::Keep => {}
        TargetUpdate::Rekey(target) => rekey(transaction, target, now)?,
        TargetUpdate::Move { to, purge_until } => {
            let (left, Count(emptied)) = retire(transaction, id, now, *purge_until)?;
            insert_live(transaction, to, Count(emptied.saturating_add(1)), now)
                .map_err(|error| taken(error, UpdateAgentError::GatewayTaken))?;
            inherit_owned(transaction, left, to.id.into())?;
        }
    }
    Ok(write_line(transaction.connection, line)?)
}

fn rekey(transaction: &mut Transaction<'_>, target: &Target, now: Timestamp) -> Ending<(), UpdateAgentError> {
    let live = sync_targets::table.filter(sync_targets::id.eq(Id::from(target.id)));
    let rekeyed = diesel::update(live.filter(sync_targets::role.eq(Live)))
        .set((
            sync_targets::secrets.eq(target.secrets.0.as_slice()),
            sync_targets::secrets_version.eq(Count(target.secrets_version)),
            sync_targets::device_id.eq(target.device_id.as_deref()),
        ))
        .execute(transaction.connection)?;
    if rekeyed == 0 {
        return Err(Abort::Refused(UpdateAgentError::Conflict));
    }
    let agent = Id::from(target.agent);
    unblock(transaction, agent)?;
    raise(transaction, agent, now)?;
    Ok(())
}

/// Whether there is an agent with this id within the reach.
pub(crate) fn exists(connection: &mut SqliteConnection, reach: &Within, id: Id) -> QueryResult<bool> {
    let agent = agents::table
        .filter(agents::id.eq(id))
        .filter(agents::deleted_at.is_null())
        .filter(within!(agents::workspace, reach));
    diesel::select(diesel::dsl::exists(agent)).get_result(connection)
}

fn delete(
    transaction: &mut Transaction<'_>,
    reach: &Within,
    id: Id,
    purge_until: Timestamp,
    now: Timestamp,
) -> Ending<bool> {
    let agent = agents::table
        .filter(agents::id.eq(id))
        .filter(agents::deleted_at.is_null())
        .filter(within!(agents::workspace, reach));
    let deleted = diesel::update(agent).set(agents::deleted_at.eq(Time(now))).execute(transaction.connection)?;
    if deleted > 0 {
        retire(transaction, id, now, purge_until)?;
        close_all(transaction.connection, id, now)?;
    }
    Ok(deleted > 0)
}

#[async_trait]
impl AgentStore for SqliteStore {
    async fn insert(
        &self,
        agent: &StoredAgent,
        line: &AuditLine,
        idempotency: Option<&Idempotency>,
    ) -> Result<(), InsertAgentError> {
        let (agent, line, idempotency, now) = (agent.clone(), line.clone(), idempotency.cloned(), self.now());
        self.write(move |transaction| insert(transaction, &agent, &line, idempotency.as_ref(), now)).await
    }

    async fn find(&self, reach: &Reach, id: AgentId) -> Result<Option<StoredAgent>, Unavailable> {
        let reach = Within::from(reach);
        self.read(move |connection| find(connection, &reach, id.into())).await
    }

    async fn list(&self, workspace: &Workspace, page: PageRequest) -> Result<Page<Agent>, Unavailable> {
        let workspace = workspace.clone();
        self.read(move |connection| list(connection, &workspace, page)).await
    }

    async fn update(&self, agent: &AgentUpdate, line: &AuditLine) -> Result<(), UpdateAgentError> {
        let (agent, line, now) = (agent.clone(), line.clone(), self.now());
        self.write(move |transaction| update(transaction, &agent, &line, now)).await
    }

    async fn delete(
        &self,
        reach: &Reach,
        id: AgentId,
        purge_until: Timestamp,
        line: &AuditLine,
    ) -> Result<bool, Unavailable> {
        let (reach, line, now) = (Within::from(reach), line.clone(), self.now());
        self.write(move |transaction| {
            let deleted = delete(transaction, &reach, id.into(), purge_until, now)?;
            if deleted {
                write_line(transaction.connection, &line)?;
            }
            Ok(deleted)
        })
        .await
    }

    async fn request_sync(&self, reach: &Reach, id: AgentId, line: &AuditLine) -> Result<bool, Unavailable> {
        let (reach, line, now) = (Within::from(reach), line.clone(), self.now());
        self.write(move |transaction| {
            if !exists(transaction.connection, &reach, id.into())? {
                return Ok(false);
            }
            unblock(transaction, id.into())?;
            raise(transaction, id.into(), now)?;
            write_line(transaction.connection, &line)?;
            Ok(true)
        })
        .await
    }
}
