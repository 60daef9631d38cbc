//! What changes channels and their secrets.

use diesel::prelude::*;
use nora_kernel::audit::AuditLine;
use nora_kernel::{Idempotency, Timestamp};
use nora_webhooks::ports::{ChangeChannelError, ChannelUpdate, Enrolment, InsertChannelError, SecretsUpdate};
use nora_webhooks::{NewSecret, StoredChannel, Verification};

use super::row::{ChannelRow, SecretRow};
use super::{exists, of_event};
use crate::agents;
use crate::audit::write_line;
use crate::failure::{Abort, Ending};
use crate::idempotency::remember;
use crate::reach::Within;
use crate::schema::{channel_secrets, channels, lanes};
use crate::value::{Count, Id, Object, Parsed, Time};
use crate::writer::Transaction;

pub(super) fn insert(
    transaction: &mut Transaction<'_>,
    stored: &StoredChannel,
    line: &AuditLine,
    idempotency: Option<&Idempotency>,
    now: Timestamp,
) -> Ending<(), InsertChannelError> {
    if let Some(record) = idempotency {
        remember(transaction.connection, record, now)?;
    }
    let own = Within { workspace: stored.workspace.to_string(), everything: false };
    if !agents::exists(transaction.connection, &own, stored.channel.agent.into())? {
        return Err(Abort::Refused(InsertChannelError::AgentNotFound));
    }
    let row = diesel::insert_into(channels::table).values(ChannelRow::from(stored)).on_conflict_do_nothing();
    if row.execute(transaction.connection)? == 0 {
        return Err(Abort::Refused(InsertChannelError::Exists));
    }
    for secret in &stored.secrets {
        add_secret(transaction.connection, stored.channel.id.into(), secret)?;
    }
    Ok(write_line(transaction.connection, line)?)
}

/// Adds a secret. One the channel has already keeps its value and gets another end.
fn add_secret(connection: &mut SqliteConnection, channel: Id, secret: &NewSecret) -> QueryResult<()> {
    diesel::insert_into(channel_secrets::table)
        .values(SecretRow::new(channel, secret))
        .on_conflict(channel_secrets::id)
        .do_update()
        .set(channel_secrets::expires_at.eq(secret.expires_at.map(Time)))
        .execute(connection)
        .map(drop)
}

pub(super) fn update(
    transaction: &mut Transaction<'_>,
    update: &ChannelUpdate,
    line: &AuditLine,
    idempotency: Option<&Idempotency>,
    now: Timestamp,
) -> Ending<(), ChangeChannelError> {
    if let Some(record) = idempotency {
        remember(transaction.connection, record, now)?;
    }
    let id = Id::from(update.id);
    let everywhere = Within { workspace: String::new(), everything: true };
    if !exists(transaction.connection, &everywhere, update.agent.into(), id)? {
        return Err(Abort::Refused(ChangeChannelError::NotFound));
    }
    if change(transaction.connection, update)? == 0 {
        return Err(Abort::Refused(ChangeChannelError::Conflict));
    }
    if let SecretsUpdate::Replace(secrets) = &update.secrets {
        replace_secrets(transaction.connection, id, secrets)?;
    }
    pause(transaction.connection, id, update)?;
    transaction.tell_delivery();
    Ok(write_line(transaction.connection, line)?)
}

fn change(connection: &mut SqliteConnection, update: &ChannelUpdate) -> QueryResult<usize> {
    let unchanged = channels::table
        .filter(channels::id.eq(Id::from(update.id)))
        .filter(channels::revision.eq(Count(update.from_revision)));
    diesel::update(unchanged)
        .set((
            channels::name.eq(Parsed(update.name.clone())),
            channels::config.eq(Object(update.config.clone())),
            channels::verification.eq(update.verification.as_str()),
            channels::enrol_until.eq(update.enrol_until.map(Time)),
            channels::enabled.eq(update.enabled),
            channels::paused.eq(update.paused),
            channels::updated_at.eq(Time(update.updated_at)),
            channels::revision.eq(channels::revision + 1_i64),
        ))
        .execute(connection)
}

fn replace_secrets(connection: &mut SqliteConnection, channel: Id, secrets: &[NewSecret]) -> QueryResult<()> {
    let kept: Vec<Id> = secrets.iter().map(|secret| secret.id.into()).collect();
    let others =
        channel_secrets::table.filter(channel_secrets::channel_id.eq(channel)).filter(channel_secrets::id.ne_all(kept));
    diesel::delete(others).execute(connection)?;
    secrets.iter().try_for_each(|secret| add_secret(connection, channel, secret))
}

/// Has the channel's lanes wait, or go on at once.
fn pause(connection: &mut SqliteConnection, channel: Id, update: &ChannelUpdate) -> QueryResult<()> {
    let lanes = lanes::table.filter(lanes::channel_id.eq(channel)).filter(lanes::paused.ne(update.paused));
    if update.paused {
        return diesel::update(lanes).set(lanes::paused.eq(true)).execute(connection).map(drop);
    }
    let since = Time(update.updated_at);
    let later = lanes.filter(lanes::due_at.gt(since));
    diesel::update(later).set(lanes::due_at.eq(Some(since))).execute(connection)?;
    diesel::update(lanes).set(lanes::paused.eq(false)).execute(connection).map(drop)
}

pub(super) fn enrol(
    connection: &mut SqliteConnection,
    id: Id,
    secret: &NewSecret,
    now: Timestamp,
) -> Ending<Enrolment> {
    if of_event(connection, id)?.is_none() {
        return Ok(Enrolment::Refused);
    }
    let waits = channels::table
        .filter(channels::id.eq(id))
        .filter(channels::enabled.eq(true))
        .filter(channels::verification.eq(Verification::Handshake.as_str()))
        .filter(channels::enrol_until.gt(Time(now)));
    let keyed = diesel::update(waits)
        .set((
            channels::verification.eq(Verification::Secret.as_str()),
            channels::enrol_until.eq(None::<Time>),
            channels::updated_at.eq(Time(now)),
            channels::revision.eq(channels::revision + 1_i64),
        ))
        .execute(connection)?;
    if keyed == 0 {
        return Ok(Enrolment::Refused);
    }
    add_secret(connection, id, secret)?;
    Ok(Enrolment::Done)
}

/// Removes a channel that is there.
pub(super) fn remove(connection: &mut SqliteConnection, id: Id, now: Timestamp) -> QueryResult<()> {
    let channel = diesel::update(channels::table.find(id));
    channel.set(channels::removed_at.eq(Some(Time(now)))).execute(connection)?;
    diesel::delete(channel_secrets::table.filter(channel_secrets::channel_id.eq(id))).execute(connection)?;
    let lanes = lanes::table.filter(lanes::channel_id.eq(id));
    diesel::update(lanes).set(lanes::paused.eq(true)).execute(connection).map(drop)
}

/// Removes the channels of an agent that is deleted in the same transaction.
pub(crate) fn close_all(connection: &mut SqliteConnection, agent: Id, now: Timestamp) -> QueryResult<()> {
    let channels: Vec<Id> = channels::table
        .filter(channels::agent_id.eq(agent))
        .filter(channels::removed_at.is_null())
        .select(channels::id)
        .load(connection)?;
    channels.into_iter().try_for_each(|channel| remove(connection, channel, now))
}
