//! Everything that decides about an agent's MCP servers, in one statement.

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Binary, Bool, Nullable, Text};
use nora_integrations::ports::{Failure, FailureClass};
use nora_kernel::audit::AuditLine;
use nora_kernel::{AgentId, Reach};
use nora_mcp_servers::ports::{AgentServers, Deployed, Redeploy, RedeployClaim};

use crate::audit::{insert_line, with_line};
use crate::error::StoreError;
use crate::integrations::{IntegrationRow, integration_columns};
use crate::rows::{digest, known, names, time, workspace_of};
use crate::statement::Statement;
use crate::store::PostgresStore;
use crate::targets::TargetRow;

/// The columns of a [`Row`] but its integration, from `agent`, its live `target`, and what there may be of them.
macro_rules! servers {
    () => {
        concat!(
            "SELECT ",
            crate::targets::target_columns!(),
            ", coalesce((SELECT json_agg(provider ORDER BY provider)::text FROM mcp_selections \
             WHERE agent_id = agent.id), '[]') AS selected, deployment.digest AS deployed_digest, \
             deployment.applied_at AS deployed_at, deployment.servers AS deployed_servers, \
             coalesce(redeploy.state <> 'done', false) AS is_pending, coalesce(redeploy.blocked, false) AS is_blocked, \
             redeploy.next_attempt_at, redeploy.failure_class, redeploy.failure_at \
             FROM agents AS agent \
             JOIN sync_targets AS target ON target.agent_id = agent.id AND target.role = 'live' \
             LEFT JOIN deployments AS deployment ON deployment.target_id = target.id \
             LEFT JOIN redeploys AS redeploy ON redeploy.agent_id = agent.id \
             WHERE agent.deleted_at IS NULL AND "
        )
    };
}

/// The agent's columns come with every integration, and once if there is none.
macro_rules! with_integrations {
    () => {
        concat!(
            "SELECT servers.*, ",
            integration_columns!(),
            " FROM servers LEFT JOIN integrations AS integration ON integration.agent_id = servers.place_agent \
             ORDER BY integration.created_at, integration.id"
        )
    };
}

const FIND: &str = concat!(
    "WITH servers AS MATERIALIZED (",
    servers!(),
    "agent.id = $1 AND ($2 IS NULL OR agent.workspace = $2)) ",
    with_integrations!()
);

const SNAPSHOT: &str = concat!(
    "WITH servers AS MATERIALIZED (",
    servers!(),
    "agent.id = $13 AND redeploy.fence = $14 AND redeploy.lease_until IS NOT NULL), \
     audited AS (",
    insert_line!(),
    "servers WHERE EXISTS (SELECT FROM integrations JOIN mcp_selections USING (agent_id, provider) \
     WHERE integrations.agent_id = servers.place_agent AND integrations.secrets IS NOT NULL)) ",
    with_integrations!()
);

#[derive(QueryableByName)]
pub(super) struct Row {
    #[diesel(embed)]
    target: TargetRow,
    #[diesel(sql_type = Text)]
    selected: String,
    #[diesel(embed)]
    deployed: DeployedRow,
    #[diesel(embed)]
    redeploy: RedeployRow,
    #[diesel(embed)]
    integration: Option<IntegrationRow>,
}

#[derive(QueryableByName)]
struct DeployedRow {
    #[diesel(sql_type = Nullable<Binary>, column_name = deployed_digest)]
    digest: Option<Vec<u8>>,
    #[diesel(sql_type = Nullable<BigInt>, column_name = deployed_at)]
    at: Option<i64>,
    #[diesel(sql_type = Nullable<Text>, column_name = deployed_servers)]
    servers: Option<String>,
}

#[derive(QueryableByName)]
struct RedeployRow {
    #[diesel(sql_type = Bool)]
    is_pending: bool,
    #[diesel(sql_type = Bool)]
    is_blocked: bool,
    #[diesel(sql_type = Nullable<BigInt>)]
    next_attempt_at: Option<i64>,
    #[diesel(sql_type = Nullable<Text>)]
    failure_class: Option<String>,
    #[diesel(sql_type = Nullable<BigInt>)]
    failure_at: Option<i64>,
}

impl DeployedRow {
    fn deployed(&self) -> Result<Deployed, StoreError> {
        let servers = self.servers.as_deref().map(|servers| names("deployments.servers", servers)).transpose()?;
        Ok(Deployed {
            digest: self.digest.as_deref().map(|bytes| digest("deployments.digest", bytes)).transpose()?,
            at: time(self.at),
            servers: servers.unwrap_or_default(),
        })
    }
}

impl RedeployRow {
    fn redeploy(&self) -> Result<Redeploy, StoreError> {
        let next_attempt_at = time(self.next_attempt_at).filter(|_| self.is_pending && !self.is_blocked);
        let failure = self.failure_class.as_deref().zip(time(self.failure_at)).map(|(class, at)| {
            let class = known("redeploys.failure_class", FailureClass::from_wire(class))?;
            Ok::<_, StoreError>(Failure { class, at, next_attempt_at })
        });
        Ok(Redeploy { is_pending: self.is_pending, next_attempt_at, last_failure: failure.transpose()? })
    }
}

/// The agent and its integrations, out of one row for each integration.
fn servers(rows: Vec<Row>) -> Result<Option<AgentServers>, StoreError> {
    let mut rows = rows.into_iter();
    let Some(first) = rows.next() else { return Ok(None) };
    let (target, key) = first.target.into_parts()?;
    let integrations = first.integration.into_iter().chain(rows.filter_map(|row| row.integration));
    let integrations = integrations.map(|row| row.stored(target.workspace.clone())).collect::<Result<_, _>>()?;
    Ok(Some(AgentServers {
        target,
        key,
        selected: names("mcp_selections.provider", &first.selected)?,
        integrations,
        deployed: first.deployed.deployed()?,
        redeploy: first.redeploy.redeploy()?,
    }))
}

pub(super) fn finding(reach: &Reach, agent: AgentId) -> Statement {
    Statement::new(FIND).uuid(agent.as_uuid()).optional_text(workspace_of(reach))
}

pub(super) async fn find(
    store: &PostgresStore,
    reach: &Reach,
    agent: AgentId,
) -> Result<Option<AgentServers>, StoreError> {
    servers(store.select(finding(reach, agent)).await?)
}

/// What a unit of work has found in its own transaction.
pub(super) fn found(rows: Vec<Row>) -> Result<Option<AgentServers>, StoreError> {
    servers(rows)
}

pub(super) async fn snapshot(
    store: &PostgresStore,
    claim: &RedeployClaim,
    line: &AuditLine,
) -> Result<Option<AgentServers>, StoreError> {
    let read = with_line(SNAPSHOT, line).uuid(claim.agent.as_uuid()).number(claim.fence);
    servers(store.write(read).await?)
}
