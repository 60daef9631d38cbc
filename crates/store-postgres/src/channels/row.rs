//! Rows of channels and of their secrets.

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Binary, Bool, Nullable, Text, Uuid as UuidType};
use nora_kernel::{AgentId, ChannelId, ChannelSecretId, Sealed, Timestamp, WrappedKey};
use nora_webhooks::{Channel, SecretRole, StoredChannel, StoredSecret, Verification};
use uuid::Uuid;

use crate::error::StoreError;
use crate::rows::{count, known, object, parse, time};
use crate::statement::Statement;

/// The columns of a [`ChannelRow`], from `channel`.
macro_rules! channel_columns {
    () => {
        "channel.id AS channel_id, channel.agent_id AS channel_agent, channel.kind AS channel_kind, \
         channel.name AS channel_name, channel.config AS channel_config, \
         channel.verification AS channel_verification, channel.enabled AS channel_enabled, \
         channel.paused AS channel_paused, channel.created_at AS channel_created_at, \
         channel.updated_at AS channel_updated_at"
    };
}
pub(super) use channel_columns;

/// The columns of a [`StoredRow`], from `channel`, its `agent` and one `secret` of it.
macro_rules! stored_columns {
    () => {
        concat!(
            crate::channels::row::channel_columns!(),
            ", channel.revision AS channel_revision, channel.enrol_until AS channel_enrol_until, \
             agent.workspace AS agent_workspace, agent.data_key AS agent_key, secret.id AS secret_id, \
             secret.role AS secret_role, secret.secret AS secret_sealed, secret.created_at AS secret_created_at, \
             secret.expires_at AS secret_expires_at"
        )
    };
}
pub(super) use stored_columns;

#[derive(QueryableByName)]
pub(super) struct ChannelRow {
    #[diesel(sql_type = UuidType, column_name = channel_id)]
    id: Uuid,
    #[diesel(sql_type = UuidType, column_name = channel_agent)]
    agent: Uuid,
    #[diesel(sql_type = Text, column_name = channel_kind)]
    kind: String,
    #[diesel(sql_type = Text, column_name = channel_name)]
    name: String,
    #[diesel(sql_type = Text, column_name = channel_config)]
    config: String,
    #[diesel(sql_type = Text, column_name = channel_verification)]
    verification: String,
    #[diesel(sql_type = Bool, column_name = channel_enabled)]
    enabled: bool,
    #[diesel(sql_type = Bool, column_name = channel_paused)]
    paused: bool,
    #[diesel(sql_type = BigInt, column_name = channel_created_at)]
    created_at: i64,
    #[diesel(sql_type = BigInt, column_name = channel_updated_at)]
    updated_at: i64,
}

#[derive(QueryableByName)]
struct SecretRow {
    #[diesel(sql_type = UuidType, column_name = secret_id)]
    id: Uuid,
    #[diesel(sql_type = Text, column_name = secret_role)]
    role: String,
    #[diesel(sql_type = Binary, column_name = secret_sealed)]
    sealed: Vec<u8>,
    #[diesel(sql_type = BigInt, column_name = secret_created_at)]
    created_at: i64,
    #[diesel(sql_type = Nullable<BigInt>, column_name = secret_expires_at)]
    expires_at: Option<i64>,
}

/// A channel's columns come with every secret, and once if there is none.
#[derive(QueryableByName)]
pub(super) struct StoredRow {
    #[diesel(embed)]
    channel: ChannelRow,
    #[diesel(sql_type = BigInt, column_name = channel_revision)]
    revision: i64,
    #[diesel(sql_type = Nullable<BigInt>, column_name = channel_enrol_until)]
    enrol_until: Option<i64>,
    #[diesel(sql_type = Text, column_name = agent_workspace)]
    workspace: String,
    #[diesel(sql_type = Binary, column_name = agent_key)]
    key: Vec<u8>,
    #[diesel(embed)]
    secret: Option<SecretRow>,
}

impl ChannelRow {
    pub(super) fn channel(self) -> Result<Channel, StoreError> {
        Ok(Channel {
            id: ChannelId::from_uuid(self.id),
            agent: AgentId::from_uuid(self.agent),
            kind: parse("channels.kind", &self.kind)?,
            name: parse("channels.name", &self.name)?,
            config: object("channels.config", &self.config)?,
            verification: known("channels.verification", Verification::from_wire(&self.verification))?,
            enabled: self.enabled,
            paused: self.paused,
            created_at: Timestamp::from_microseconds(self.created_at),
            updated_at: Timestamp::from_microseconds(self.updated_at),
        })
    }
}

impl SecretRow {
    fn secret(self) -> Result<StoredSecret, StoreError> {
        Ok(StoredSecret {
            id: ChannelSecretId::from_uuid(self.id),
            role: known("channel_secrets.role", SecretRole::from_wire(&self.role))?,
            sealed: Sealed(self.sealed),
            created_at: Timestamp::from_microseconds(self.created_at),
            expires_at: time(self.expires_at),
        })
    }
}

/// The channel that the rows make up, and its agent's key.
pub(super) fn stored(rows: Vec<StoredRow>) -> Result<Option<(StoredChannel, WrappedKey)>, StoreError> {
    let mut rows = rows.into_iter();
    let Some(first) = rows.next() else { return Ok(None) };
    let secrets = first.secret.into_iter().chain(rows.filter_map(|row| row.secret));
    let stored = StoredChannel {
        channel: first.channel.channel()?,
        workspace: parse("agents.workspace", &first.workspace)?,
        revision: count("channels.revision", first.revision)?,
        enrol_until: time(first.enrol_until),
        secrets: secrets.map(SecretRow::secret).collect::<Result<_, _>>()?,
    };
    Ok(Some((stored, WrappedKey(first.key))))
}

/// Five parameters: ids, roles, sealed values, times of making and of expiry.
pub(super) fn with_secrets(statement: Statement, secrets: &[StoredSecret]) -> Statement {
    let each = secrets.iter();
    statement
        .uuids(each.clone().map(|secret| secret.id.as_uuid()).collect())
        .texts(each.clone().map(|secret| secret.role.as_str().to_owned()).collect())
        .many_bytes(each.clone().map(|secret| secret.sealed.0.clone()).collect())
        .numbers(each.clone().map(|secret| secret.created_at.as_microseconds()).collect())
        .optional_numbers(each.map(|secret| secret.expires_at.map(Timestamp::as_microseconds)).collect())
}
