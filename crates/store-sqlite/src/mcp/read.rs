//! Everything that decides about an agent's MCP servers, at one moment.

use diesel::prelude::*;
use diesel::sqlite::Sqlite;
use nora_integrations::StoredIntegration;
use nora_integrations::ports::{Failure, FailureClass};
use nora_kernel::audit::AuditLine;
use nora_kernel::{ProviderId, Workspace, WrappedKey};
use nora_mcp_servers::ports::{AgentServers, Deployed, Redeploy, RedeployClaim};

use super::claims::{DONE, held};
use crate::audit::write_line;
use crate::failure::{Ending, corrupt};
use crate::integrations::of_agent;
use crate::reach::{Within, within};
use crate::schema::{agents, deployments, mcp_selections, redeploys, sync_targets};
use crate::targets::{Live, TargetRow};
use crate::value::{Hash, Id, Names, Parsed, Time};

#[derive(Queryable, Selectable)]
#[diesel(table_name = deployments, check_for_backend(Sqlite))]
struct DeployedRow {
    digest: Option<Hash>,
    applied_at: Option<Time>,
    servers: Names<ProviderId>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = redeploys, check_for_backend(Sqlite))]
struct RedeployRow {
    state: String,
    blocked: bool,
    next_attempt_at: Time,
    failure_class: Option<String>,
    failure_at: Option<Time>,
}

impl From<DeployedRow> for Deployed {
    fn from(row: DeployedRow) -> Self {
        let DeployedRow { digest, applied_at, servers } = row;
        Self { digest: digest.map(|hash| hash.0), at: applied_at.map(|time| time.0), servers: servers.0 }
    }
}

impl RedeployRow {
    fn redeploy(&self) -> Ending<Redeploy> {
        let is_pending = self.state != DONE;
        let next_attempt_at = (is_pending && !self.blocked).then_some(self.next_attempt_at.0);
        let failure = self.failure_class.as_deref().zip(self.failure_at).map(|(class, at)| {
            let class = FailureClass::from_wire(class).ok_or_else(|| corrupt("a failure is of no known class"))?;
            Ok::<_, crate::failure::Abort<_>>(Failure { class, at: at.0, next_attempt_at })
        });
        Ok(Redeploy { is_pending, next_attempt_at, last_failure: failure.transpose()? })
    }
}

type Found = (TargetRow, Parsed<Workspace>, Vec<u8>, Option<DeployedRow>, Option<RedeployRow>);

pub(super) fn find(connection: &mut SqliteConnection, reach: &Within, agent: Id) -> Ending<Option<AgentServers>> {
    let found: Option<Found> = agents::table
        .inner_join(sync_targets::table.on(sync_targets::agent_id.eq(agents::id).and(sync_targets::role.eq(Live))))
        .left_join(deployments::table.on(deployments::target_id.eq(sync_targets::id)))
        .left_join(redeploys::table.on(redeploys::agent_id.eq(agents::id)))
        .filter(agents::id.eq(agent))
        .filter(agents::deleted_at.is_null())
        .filter(within!(agents::workspace, reach))
        .select((
            TargetRow::as_select(),
            agents::workspace,
            agents::data_key,
            Option::<DeployedRow>::as_select(),
            Option::<RedeployRow>::as_select(),
        ))
        .get_result(connection)
        .optional()?;
    let Some((target, workspace, key, deployed, redeploy)) = found else { return Ok(None) };
    let integrations = of_agent(connection, agent, &workspace.0)?;
    let target = target.into_target(workspace.0).ok_or_else(|| corrupt("an address of a target does not parse"))?;
    Ok(Some(AgentServers {
        target,
        key: WrappedKey(key),
        selected: selected(connection, agent)?,
        integrations,
        deployed: deployed.map(Deployed::from).unwrap_or_default(),
        redeploy: redeploy.map(|row| row.redeploy()).transpose()?.unwrap_or_default(),
    }))
}

fn selected(connection: &mut SqliteConnection, agent: Id) -> QueryResult<Vec<ProviderId>> {
    let selected: Vec<Parsed<ProviderId>> = mcp_selections::table
        .filter(mcp_selections::agent_id.eq(agent))
        .order(mcp_selections::provider.asc())
        .select(mcp_selections::provider)
        .load(connection)?;
    Ok(selected.into_iter().map(|provider| provider.0).collect())
}

pub(super) fn snapshot(
    connection: &mut SqliteConnection,
    claim: &RedeployClaim,
    line: &AuditLine,
) -> Ending<Option<AgentServers>> {
    if held(connection, claim)?.is_none() {
        return Ok(None);
    }
    let everywhere = Within { workspace: String::new(), everything: true };
    let Some(found) = find(connection, &everywhere, claim.agent.into())? else { return Ok(None) };
    let is_fed = |stored: &StoredIntegration| found.selected.contains(&stored.integration.provider);
    if found.integrations.iter().any(|stored| stored.secrets.is_some() && is_fed(stored)) {
        write_line(connection, line)?;
    }
    Ok(Some(found))
}
