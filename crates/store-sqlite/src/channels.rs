//! Webhook channels.

mod change;
mod row;

use async_trait::async_trait;
use diesel::prelude::*;
use nora_agents::RuntimeKind;
use nora_kernel::audit::AuditLine;
use nora_kernel::{AgentId, ChannelId, Idempotency, Reach, Timestamp, Unavailable, Workspace, WrappedKey};
use nora_webhooks::ports::{
    ChangeChannelError, ChannelOwner, ChannelStore, ChannelUpdate, Enrolment, InsertChannelError,
};
use nora_webhooks::{Channel, NewSecret, StoredChannel};

pub(crate) use change::close_all;

use crate::SqliteStore;
use crate::audit::write_line;
use crate::channels::row::{ChannelRow, SecretRow};
use crate::failure::Ending;
use crate::reach::{Within, within};
use crate::schema::{agents, channel_secrets, channels, sync_targets};
use crate::targets::Live;
use crate::value::{Count, Id, Parsed};

type Found = Option<(StoredChannel, WrappedKey)>;
/// An agent's workspace, data key, kind of runtime, and whether that has a URL.
type OwnerRow = (Parsed<Workspace>, Vec<u8>, Parsed<RuntimeKind>, bool);

/// The channels that are there, with their agents.
macro_rules! present {
    () => {
        channels::table
            .inner_join(agents::table.on(agents::id.eq(channels::agent_id)))
            .filter(channels::removed_at.is_null())
            .filter(agents::deleted_at.is_null())
    };
}

fn owner(connection: &mut SqliteConnection, reach: &Within, agent: Id) -> QueryResult<Option<ChannelOwner>> {
    let found: Option<OwnerRow> = agents::table
        .inner_join(sync_targets::table.on(sync_targets::agent_id.eq(agents::id)))
        .filter(agents::id.eq(agent))
        .filter(agents::deleted_at.is_null())
        .filter(within!(agents::workspace, reach))
        .filter(sync_targets::role.eq(Live))
        .select((agents::workspace, agents::data_key, sync_targets::kind, sync_targets::url.is_not_null()))
        .get_result(connection)
        .optional()?;
    Ok(found.map(|(workspace, key, kind, has_url)| ChannelOwner {
        workspace: workspace.0,
        key: WrappedKey(key),
        kind: kind.0,
        has_url,
    }))
}

/// The agent and its channels in one statement: an agent without any has one row without one.
fn list(connection: &mut SqliteConnection, reach: &Within, agent: Id) -> Ending<Option<Vec<Channel>>> {
    let of_agent = channels::agent_id.eq(agents::id).and(channels::removed_at.is_null());
    let rows: Vec<Option<ChannelRow>> = agents::table
        .left_join(channels::table.on(of_agent))
        .filter(agents::id.eq(agent))
        .filter(agents::deleted_at.is_null())
        .filter(within!(agents::workspace, reach))
        .order((channels::created_at.desc(), channels::id.desc()))
        .select(Option::<ChannelRow>::as_select())
        .load(connection)?;
    let found = !rows.is_empty();
    let channels = rows.into_iter().flatten().map(ChannelRow::channel).collect::<Ending<_>>()?;
    Ok(found.then_some(channels))
}

/// A channel's secrets, newest first: they are few.
fn secrets(connection: &mut SqliteConnection, channel: Id) -> QueryResult<Vec<SecretRow>> {
    let of_channel = channel_secrets::table.filter(channel_secrets::channel_id.eq(channel));
    let mut rows: Vec<SecretRow> = of_channel.select(SecretRow::as_select()).load(connection)?;
    rows.sort_by_key(|row| std::cmp::Reverse(row.age()));
    Ok(rows)
}

/// Reads in a transaction, so that channel and secrets are of one moment.
fn find(connection: &mut SqliteConnection, reach: &Within, agent: Id, id: Id) -> Ending<Found> {
    connection.transaction(|connection| {
        let found: Option<(ChannelRow, Parsed<Workspace>, Vec<u8>)> = present!()
            .filter(channels::id.eq(id))
            .filter(channels::agent_id.eq(agent))
            .filter(within!(agents::workspace, reach))
            .select((ChannelRow::as_select(), agents::workspace, agents::data_key))
            .get_result(connection)
            .optional()?;
        let Some((row, workspace, key)) = found else { return Ok(None) };
        let stored = row.stored(workspace.0, secrets(connection, id)?)?;
        Ok(Some((stored, WrappedKey(key))))
    })
}

fn find_any(connection: &mut SqliteConnection, id: Id) -> Ending<Found> {
    let found: Option<(ChannelRow, Parsed<Workspace>, Vec<u8>)> = present!()
        .filter(channels::id.eq(id))
        .select((ChannelRow::as_select(), agents::workspace, agents::data_key))
        .get_result(connection)
        .optional()?;
    let Some((row, workspace, key)) = found else { return Ok(None) };
    let stored = row.stored(workspace.0, secrets(connection, id)?)?;
    Ok(Some((stored, WrappedKey(key))))
}

/// The agent of a channel and whether it is paused; `None` if it is not there.
pub(crate) fn of_event(connection: &mut SqliteConnection, id: Id) -> QueryResult<Option<(Id, bool)>> {
    present!()
        .filter(channels::id.eq(id))
        .select((channels::agent_id, channels::paused))
        .get_result(connection)
        .optional()
}

/// Whether an agent's channel is there for a reach.
pub(crate) fn exists(connection: &mut SqliteConnection, reach: &Within, agent: Id, id: Id) -> QueryResult<bool> {
    let channel = present!()
        .filter(channels::id.eq(id))
        .filter(channels::agent_id.eq(agent))
        .filter(within!(agents::workspace, reach));
    diesel::select(diesel::dsl::exists(channel)).get_result(connection)
}

#[async_trait]
impl ChannelStore for SqliteStore {
    async fn owner(&self, reach: &Reach, agent: AgentId) -> Result<Option<ChannelOwner>, Unavailable> {
        let reach = Within::from(reach);
        self.read(move |connection| Ok(owner(connection, &reach, agent.into())?)).await
    }

    async fn insert(
        &self,
        channel: &StoredChannel,
        line: &AuditLine,
        idempotency: Option<&Idempotency>,
    ) -> Result<(), InsertChannelError> {
        let (stored, line, idempotency, now) = (channel.clone(), line.clone(), idempotency.cloned(), self.now());
        self.write(move |transaction| change::insert(transaction, &stored, &line, idempotency.as_ref(), now)).await
    }

    async fn list(&self, reach: &Reach, agent: AgentId) -> Result<Option<Vec<Channel>>, Unavailable> {
        let reach = Within::from(reach);
        self.read(move |connection| list(connection, &reach, agent.into())).await
    }

    async fn find(&self, reach: &Reach, agent: AgentId, id: ChannelId) -> Result<Found, Unavailable> {
        let reach = Within::from(reach);
        self.read(move |connection| find(connection, &reach, agent.into(), id.into())).await
    }

    async fn update(
        &self,
        update: &ChannelUpdate,
        line: &AuditLine,
        idempotency: Option<&Idempotency>,
    ) -> Result<(), ChangeChannelError> {
        let (update, line, idempotency, now) = (update.clone(), line.clone(), idempotency.cloned(), self.now());
        self.write(move |transaction| change::update(transaction, &update, &line, idempotency.as_ref(), now)).await
    }

    async fn remove(
        &self,
        reach: &Reach,
        agent: AgentId,
        id: ChannelId,
        line: &AuditLine,
    ) -> Result<bool, Unavailable> {
        let (reach, line, now) = (Within::from(reach), line.clone(), self.now());
        self.write(move |transaction| {
            let removed = exists(transaction.connection, &reach, agent.into(), id.into())?;
            if removed {
                change::remove(transaction.connection, id.into(), now)?;
                write_line(transaction.connection, &line)?;
            }
            Ok(removed)
        })
        .await
    }

    async fn locate(&self, id: ChannelId) -> Result<Option<(AgentId, Workspace, u64)>, Unavailable> {
        self.read(move |connection| {
            let found: Option<(Id, Parsed<Workspace>, Count)> = present!()
                .filter(channels::id.eq(Id::from(id)))
                .select((channels::agent_id, agents::workspace, channels::revision))
                .get_result(connection)
                .optional()?;
            Ok(found.map(|(agent, workspace, revision)| (agent.into(), workspace.0, revision.0)))
        })
        .await
    }

    async fn load_to_open(&self, id: ChannelId, line: &AuditLine) -> Result<Found, Unavailable> {
        let line = line.clone();
        self.write(move |transaction| {
            let found = find_any(transaction.connection, id.into())?;
            if found.as_ref().is_some_and(|(stored, _)| !stored.secrets.is_empty()) {
                write_line(transaction.connection, &line)?;
            }
            Ok(found)
        })
        .await
    }

    async fn enrol(
        &self,
        id: ChannelId,
        secret: &NewSecret,
        now: Timestamp,
        line: &AuditLine,
    ) -> Result<Enrolment, Unavailable> {
        let (secret, line) = (secret.clone(), line.clone());
        self.write(move |transaction| {
            let enrolment = change::enrol(transaction.connection, id.into(), &secret, now)?;
            if enrolment == Enrolment::Done {
                write_line(transaction.connection, &line)?;
            }
            Ok(enrolment)
        })
        .await
    }
}
