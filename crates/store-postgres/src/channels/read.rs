//! Finding channels.

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Binary, Bool, Text, Uuid as UuidType};
use nora_kernel::audit::AuditLine;
use nora_kernel::{AgentId, ChannelId, Reach, Workspace, WrappedKey};
use nora_webhooks::Channel;
use nora_webhooks::ports::ChannelOwner;
use uuid::Uuid;

use super::Found;
use super::row::{ChannelRow, StoredRow, channel_columns, stored, stored_columns};
use crate::audit::{insert_line, with_line};
use crate::error::StoreError;
use crate::rows::{count, parse, workspace_of};
use crate::statement::Statement;
use crate::store::PostgresStore;

const OWNER: &str = "SELECT agent.workspace, agent.data_key, target.kind, target.url IS NOT NULL AS has_url \
                     FROM agents AS agent \
                     JOIN sync_targets AS target ON target.agent_id = agent.id AND target.role = 'live' \
                     WHERE agent.id = $1 AND agent.deleted_at IS NULL AND ($2 IS NULL OR agent.workspace = $2)";

/// A row without a channel shows an agent that has none.
const LIST: &str = concat!(
    "SELECT ",
    channel_columns!(),
    " FROM agents AS agent LEFT JOIN channels AS channel ON channel.agent_id = agent.id \
     AND channel.removed_at IS NULL \
     WHERE agent.id = $1 AND agent.deleted_at IS NULL AND ($2 IS NULL OR agent.workspace = $2) \
     ORDER BY channel.created_at DESC, channel.id DESC"
);

macro_rules! stored_channel {
    ($condition:literal) => {
        concat!(
            "SELECT ",
            stored_columns!(),
            " FROM channels AS channel JOIN agents AS agent ON agent.id = channel.agent_id \
             LEFT JOIN channel_secrets AS secret ON secret.channel_id = channel.id \
             WHERE channel.removed_at IS NULL AND agent.deleted_at IS NULL AND ",
            $condition
        )
    };
}

/// The newest secret first.
macro_rules! newest_secret_first {
    () => {
        " ORDER BY secret_created_at DESC, secret_id DESC"
    };
}

const FIND: &str = concat!(
    stored_channel!("channel.id = $3 AND agent.id = $1 AND ($2 IS NULL OR agent.workspace = $2)"),
    newest_secret_first!()
);

const LOCATE: &str = "SELECT channel.agent_id, agent.workspace, channel.revision FROM channels AS channel \
                      JOIN agents AS agent ON agent.id = channel.agent_id \
                      WHERE channel.id = $1 AND channel.removed_at IS NULL AND agent.deleted_at IS NULL";

const LOAD_TO_OPEN: &str = concat!(
    "WITH found AS MATERIALIZED (",
    stored_channel!("channel.id = $13"),
    "), audited AS (",
    insert_line!(),
    "(SELECT FROM found WHERE secret_id IS NOT NULL LIMIT 1) AS opened) SELECT * FROM found",
    newest_secret_first!()
);

#[derive(QueryableByName)]
struct OwnerRow {
    #[diesel(sql_type = Text)]
    workspace: String,
    #[diesel(sql_type = Binary)]
    data_key: Vec<u8>,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Bool)]
    has_url: bool,
}

impl OwnerRow {
    fn owner(self) -> Result<ChannelOwner, StoreError> {
        Ok(ChannelOwner {
            workspace: parse("agents.workspace", &self.workspace)?,
            key: WrappedKey(self.data_key),
            kind: parse("sync_targets.kind", &self.kind)?,
            has_url: self.has_url,
        })
    }
}

#[derive(QueryableByName)]
struct Listed {
    #[diesel(embed)]
    channel: Option<ChannelRow>,
}

#[derive(QueryableByName)]
struct Located {
    #[diesel(sql_type = UuidType)]
    agent_id: Uuid,
    #[diesel(sql_type = Text)]
    workspace: String,
    #[diesel(sql_type = BigInt)]
    revision: i64,
}

pub(super) async fn owner(
    store: &PostgresStore,
    reach: &Reach,
    agent: AgentId,
) -> Result<Option<ChannelOwner>, StoreError> {
    let owner = Statement::new(OWNER).uuid(agent.as_uuid()).optional_text(workspace_of(reach));
    store.select::<OwnerRow>(owner).await?.into_iter().next().map(OwnerRow::owner).transpose()
}

pub(super) async fn list(
    store: &PostgresStore,
    reach: &Reach,
    agent: AgentId,
) -> Result<Option<Vec<Channel>>, StoreError> {
    let list = Statement::new(LIST).uuid(agent.as_uuid()).optional_text(workspace_of(reach));
    let rows = store.select::<Listed>(list).await?;
    if rows.is_empty() {
        return Ok(None);
    }
    let channels = rows.into_iter().filter_map(|row| row.channel);
    channels.map(ChannelRow::channel).collect::<Result<_, _>>().map(Some)
}

pub(super) async fn find(
    store: &PostgresStore,
    reach: &Reach,
    agent: AgentId,
    id: ChannelId,
) -> Result<Found, StoreError> {
    let find = Statement::new(FIND).uuid(agent.as_uuid()).optional_text(workspace_of(reach)).uuid(id.as_uuid());
    stored(store.select::<StoredRow>(find).await?)
}

pub(super) async fn locate(
    store: &PostgresStore,
    id: ChannelId,
) -> Result<Option<(AgentId, Workspace, u64)>, StoreError> {
    let rows = store.select::<Located>(Statement::new(LOCATE).uuid(id.as_uuid())).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let workspace = parse("agents.workspace", &row.workspace)?;
    Ok(Some((AgentId::from_uuid(row.agent_id), workspace, count("channels.revision", row.revision)?)))
}

pub(super) async fn load_to_open(store: &PostgresStore, id: ChannelId, line: &AuditLine) -> Result<Found, StoreError> {
    stored(store.write::<StoredRow>(with_line(LOAD_TO_OPEN, line).uuid(id.as_uuid())).await?)
}
