//! Finding agents.

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Text};
use nora_agents::Agent;
use nora_agents::ports::StoredAgent;
use nora_kernel::{AgentId, Page, PageRequest, Reach, Timestamp, Workspace};

use crate::error::StoreError;
use crate::pages::{behind, one_more};
use crate::rows::{count, parse, workspace_of};
use crate::statement::Statement;
use crate::store::PostgresStore;
use crate::targets::{Place, TargetRow, place_columns, target_columns};

macro_rules! agent_columns {
    () => {
        ", agent.name AS agent_name, agent.revision AS agent_revision, agent.created_at AS agent_created_at, \
         agent.updated_at AS agent_updated_at FROM agents AS agent \
         JOIN sync_targets AS target ON target.agent_id = agent.id AND target.role = 'live' \
         WHERE agent.deleted_at IS NULL "
    };
}

const FIND: &str = concat!(
    "SELECT ",
    target_columns!(),
    agent_columns!(),
    "AND agent.id = $1 AND ($2 IS NULL OR agent.workspace = $2)"
);

const LIST: &str = concat!(
    "SELECT ",
    place_columns!(),
    agent_columns!(),
    "AND agent.workspace = $1 AND agent.created_at <= $2 AND (agent.created_at < $2 OR agent.id < $3) \
     ORDER BY agent.created_at DESC, agent.id DESC LIMIT $4"
);

#[derive(QueryableByName)]
struct AgentRow {
    #[diesel(embed)]
    place: Place,
    #[diesel(sql_type = Text, column_name = agent_name)]
    name: String,
    #[diesel(sql_type = BigInt, column_name = agent_revision)]
    revision: i64,
    #[diesel(sql_type = BigInt, column_name = agent_created_at)]
    created_at: i64,
    #[diesel(sql_type = BigInt, column_name = agent_updated_at)]
    updated_at: i64,
}

#[derive(QueryableByName)]
struct StoredRow {
    #[diesel(embed)]
    agent: AgentRow,
    #[diesel(embed)]
    target: TargetRow,
}

impl AgentRow {
    fn agent(&self) -> Result<Agent, StoreError> {
        Ok(Agent {
            id: self.place.agent(),
            workspace: self.place.workspace()?,
            name: parse("agents.name", &self.name)?,
            runtime: self.place.runtime()?,
            gateway: self.place.gateway()?,
            created_at: Timestamp::from_microseconds(self.created_at),
            updated_at: Timestamp::from_microseconds(self.updated_at),
        })
    }
}

impl StoredRow {
    fn stored(self) -> Result<StoredAgent, StoreError> {
        let revision = count("agents.revision", self.agent.revision)?;
        let (target, key) = self.target.into_parts()?;
        Ok(StoredAgent { agent: self.agent.agent()?, key, target, revision })
    }
}

pub(super) async fn find(store: &PostgresStore, reach: &Reach, id: AgentId) -> Result<Option<StoredAgent>, StoreError> {
    let find = Statement::new(FIND).uuid(id.as_uuid()).optional_text(workspace_of(reach));
    store.select::<StoredRow>(find).await?.into_iter().next().map(StoredRow::stored).transpose()
}

pub(super) async fn list(
    store: &PostgresStore,
    workspace: &Workspace,
    page: PageRequest,
) -> Result<Page<Agent>, StoreError> {
    let (at, id) = behind(page.after);
    let list = Statement::new(LIST).text(workspace.as_str()).number(at).uuid(id).number(one_more(page));
    let rows = store.select::<AgentRow>(list).await?;
    let agents = rows.iter().map(AgentRow::agent).collect::<Result<_, _>>()?;
    Ok(Page::cut(agents, page.limit, Agent::cursor))
}
