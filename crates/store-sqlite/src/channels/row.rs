//! Channels and their secrets as rows.

use diesel::prelude::*;
use diesel::sqlite::Sqlite;
use nora_kernel::{Sealed, Workspace};
use nora_webhooks::{Channel, ChannelName, ChannelType, SecretRole, StoredChannel, StoredSecret, Verification};

use crate::failure::{Ending, corrupt};
use crate::schema::{channel_secrets, channels};
use crate::value::{Count, Id, Object, Parsed, Time};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = channels, check_for_backend(Sqlite))]
pub(super) struct ChannelRow {
    id: Id,
    agent_id: Id,
    kind: Parsed<ChannelType>,
    name: Parsed<ChannelName>,
    config: Object,
    verification: String,
    enabled: bool,
    paused: bool,
    revision: Count,
    enrol_until: Option<Time>,
    created_at: Time,
    updated_at: Time,
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = channel_secrets, check_for_backend(Sqlite))]
pub(super) struct SecretRow {
    id: Id,
    channel_id: Id,
    role: String,
    secret: Vec<u8>,
    created_at: Time,
    expires_at: Option<Time>,
}

impl From<&StoredChannel> for ChannelRow {
    fn from(StoredChannel { channel, revision, enrol_until, .. }: &StoredChannel) -> Self {
        Self {
            id: channel.id.into(),
            agent_id: channel.agent.into(),
            kind: Parsed(channel.kind.clone()),
            name: Parsed(channel.name.clone()),
            config: Object(channel.config.clone()),
            verification: channel.verification.as_str().to_owned(),
            enabled: channel.enabled,
            paused: channel.paused,
            revision: Count(*revision),
            enrol_until: enrol_until.map(Time),
            created_at: Time(channel.created_at),
            updated_at: Time(channel.updated_at),
        }
    }
}

impl ChannelRow {
    pub(super) fn channel(self) -> Ending<Channel> {
        let verification = Verification::from_wire(&self.verification);
        Ok(Channel {
            id: self.id.into(),
            agent: self.agent_id.into(),
            kind: self.kind.0,
            name: self.name.0,
            config: self.config.0,
            verification: verification.ok_or_else(|| corrupt("a channel's verification is none of ours"))?,
            enabled: self.enabled,
            paused: self.paused,
            created_at: self.created_at.0,
            updated_at: self.updated_at.0,
        })
    }

    /// The channel with its secrets, newest first.
    pub(super) fn stored(self, workspace: Workspace, secrets: Vec<SecretRow>) -> Ending<StoredChannel> {
        let (revision, enrol_until) = (self.revision.0, self.enrol_until.map(|time| time.0));
        let channel = self.channel()?;
        let secrets = secrets.into_iter().map(SecretRow::secret).collect::<Ending<_>>()?;
        Ok(StoredChannel { channel, workspace, revision, enrol_until, secrets })
    }
}

impl SecretRow {
    pub(super) fn new(channel: Id, secret: &StoredSecret) -> Self {
        Self {
            id: secret.id.into(),
            channel_id: channel,
            role: secret.role.as_str().to_owned(),
            secret: secret.sealed.0.clone(),
            created_at: Time(secret.created_at),
            expires_at: secret.expires_at.map(Time),
        }
    }

    fn secret(self) -> Ending<StoredSecret> {
        let role = SecretRole::from_wire(&self.role);
        Ok(StoredSecret {
            id: self.id.into(),
            role: role.ok_or_else(|| corrupt("a channel's secret is for nothing we know"))?,
            sealed: Sealed(self.secret),
            created_at: self.created_at.0,
            expires_at: self.expires_at.map(|time| time.0),
        })
    }
}
