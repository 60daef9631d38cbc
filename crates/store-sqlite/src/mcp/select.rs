//! Replacing the set of servers that are switched on.

use diesel::prelude::*;
use nora_kernel::ProviderId;
use nora_kernel::audit::AuditLine;
use nora_mcp_servers::ports::AgentServers;

use super::read::find;
use crate::agents::exists;
use crate::audit::write_line;
use crate::failure::Ending;
use crate::reach::Within;
use crate::schema::{integrations, mcp_selections};
use crate::value::{Id, Parsed};

pub(super) fn select(
    connection: &mut SqliteConnection,
    reach: &Within,
    agent: Id,
    providers: &[ProviderId],
    line: &AuditLine,
) -> Ending<Option<AgentServers>> {
    if !exists(connection, reach, agent)? {
        return Ok(None);
    }
    diesel::delete(mcp_selections::table.filter(mcp_selections::agent_id.eq(agent))).execute(connection)?;
    let begun: Vec<_> = fed(connection, agent)?.into_iter().filter(|fed| providers.contains(&fed.0)).collect();
    let begun: Vec<_> = begun
        .into_iter()
        .map(|provider| (mcp_selections::agent_id.eq(agent), mcp_selections::provider.eq(provider)))
        .collect();
    diesel::insert_into(mcp_selections::table).values(begun).execute(connection)?;
    write_line(connection, line)?;
    find(connection, reach, agent)
}

/// The providers that the agent has a readable integration of.
fn fed(connection: &mut SqliteConnection, agent: Id) -> QueryResult<Vec<Parsed<ProviderId>>> {
    integrations::table
        .filter(integrations::agent_id.eq(agent))
        .filter(integrations::readable.eq(true))
        .select(integrations::provider)
        .distinct()
        .load(connection)
}
