//! Finding integrations.

use diesel::QueryableByName;
use diesel::sql_types::{Binary, Text};
use nora_integrations::{Integration, StoredIntegration};
use nora_kernel::audit::AuditLine;
use nora_kernel::{AgentId, IntegrationId, Reach, Workspace, WrappedKey};

use super::row::{IntegrationRow, integration_columns};
use crate::audit::{insert_line, with_line};
use crate::error::StoreError;
use crate::rows::{parse, workspace_of};
use crate::statement::Statement;
use crate::store::PostgresStore;

const AGENT_KEY: &str = "SELECT workspace AS agent_workspace, data_key AS agent_key FROM agents \
                         WHERE id = $1 AND deleted_at IS NULL AND ($2 IS NULL OR workspace = $2)";

/// A row without an integration shows an agent that has none.
const LIST: &str = concat!(
    "SELECT ",
    integration_columns!(),
    " FROM agents AS agent LEFT JOIN integrations AS integration ON integration.agent_id = agent.id \
     WHERE agent.id = $1 AND agent.deleted_at IS NULL AND ($2 IS NULL OR agent.workspace = $2) \
     ORDER BY integration.created_at DESC, integration.id DESC"
);

macro_rules! found {
    ($agent:literal, $reach:literal, $id:literal) => {
        concat!(
            "SELECT ",
            integration_columns!(),
            ", agent.workspace AS agent_workspace, agent.data_key AS agent_key \
             FROM integrations AS integration JOIN agents AS agent ON agent.id = integration.agent_id \
             WHERE agent.deleted_at IS NULL AND agent.id = ",
            $agent,
            " AND (",
            $reach,
            " IS NULL OR agent.workspace = ",
            $reach,
            ") AND integration.id = ",
            $id
        )
    };
}

const FIND: &str = found!("$1", "$2", "$3");

const FIND_TO_OPEN: &str = concat!(
    "WITH found AS MATERIALIZED (",
    found!("$13", "$14", "$15"),
    "), audited AS (",
    insert_line!(),
    "found WHERE found.secrets IS NOT NULL) SELECT * FROM found"
);

#[derive(QueryableByName)]
struct AgentKey {
    #[diesel(sql_type = Text, column_name = agent_workspace)]
    workspace: String,
    #[diesel(sql_type = Binary, column_name = agent_key)]
    key: Vec<u8>,
}

#[derive(QueryableByName)]
struct Listed {
    #[diesel(embed)]
    integration: Option<IntegrationRow>,
}

#[derive(QueryableByName)]
struct Stored {
    #[diesel(embed)]
    integration: IntegrationRow,
    #[diesel(embed)]
    agent: AgentKey,
}

impl AgentKey {
    fn into_parts(self) -> Result<(Workspace, WrappedKey), StoreError> {
        Ok((parse("agents.workspace", &self.workspace)?, WrappedKey(self.key)))
    }
}

impl Stored {
    fn into_parts(self) -> Result<(StoredIntegration, WrappedKey), StoreError> {
        let (workspace, key) = self.agent.into_parts()?;
        Ok((self.integration.stored(workspace)?, key))
    }
}

pub(super) async fn agent_key(
    store: &PostgresStore,
    reach: &Reach,
    agent: AgentId,
) -> Result<Option<(Workspace, WrappedKey)>, StoreError> {
    let find = Statement::new(AGENT_KEY).uuid(agent.as_uuid()).optional_text(workspace_of(reach));
    store.select::<AgentKey>(find).await?.into_iter().next().map(AgentKey::into_parts).transpose()
}

pub(super) async fn list(
    store: &PostgresStore,
    reach: &Reach,
    agent: AgentId,
) -> Result<Option<Vec<Integration>>, StoreError> {
    let list = Statement::new(LIST).uuid(agent.as_uuid()).optional_text(workspace_of(reach));
    let rows = store.select::<Listed>(list).await?;
    if rows.is_empty() {
        return Ok(None);
    }
    let integrations = rows.iter().filter_map(|row| row.integration.as_ref());
    integrations.map(IntegrationRow::integration).collect::<Result<_, _>>().map(Some)
}

pub(super) async fn find(
    store: &PostgresStore,
    reach: &Reach,
    agent: AgentId,
    id: IntegrationId,
) -> Result<Option<(StoredIntegration, WrappedKey)>, StoreError> {
    let find = Statement::new(FIND).uuid(agent.as_uuid()).optional_text(workspace_of(reach)).uuid(id.as_uuid());
    first(store.select(find).await?)
}

pub(super) async fn find_to_open(
    store: &PostgresStore,
    reach: &Reach,
    agent: AgentId,
    id: IntegrationId,
    line: &AuditLine,
) -> Result<Option<(StoredIntegration, WrappedKey)>, StoreError> {
    let find = with_line(FIND_TO_OPEN, line).uuid(agent.as_uuid());
    first(store.write(find.optional_text(workspace_of(reach)).uuid(id.as_uuid())).await?)
}

fn first(rows: Vec<Stored>) -> Result<Option<(StoredIntegration, WrappedKey)>, StoreError> {
    rows.into_iter().next().map(Stored::into_parts).transpose()
}
