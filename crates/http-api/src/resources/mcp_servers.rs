//! An agent's MCP servers.

mod view;

use actix_web::{HttpResponse, get, put};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::answer;
use crate::auth::Authorized;
use crate::auth::scope::{IntegrationsRead, IntegrationsWrite};
use crate::problem::Problem;
use crate::request::{AgentPath, Body, FromMembers, Members, agent_not_found};
use view::{SelectionBody, ServersBody};

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list_mcp_servers).service(select_mcp_servers);
}

/// List an agent's MCP servers
///
/// One entry for each provider that has a server, with whether the agent has an integration to feed it (`connected`)
/// and whether it is switched on (`enabled`).
#[utoipa::path(
    tag = "MCP servers",
    params(AgentPath),
    security(("bearer" = ["integrations:read"])),
    responses((status = 200, description = "The servers.", body = ServersBody)),
)]
#[get("/api/agents/{id}/mcp-servers")]
async fn list_mcp_servers(call: Authorized<IntegrationsRead, AgentPath>) -> Result<HttpResponse, Problem> {
    let found = call.api.ports.mcp_servers.list(&call.caller, call.head.id).await?;
    answer::ok(&ServersBody::of(found.ok_or_else(agent_not_found)?))
}

/// The set of MCP servers an agent is to have.
#[derive(Debug, ToSchema)]
#[schema(as = SelectMcpServers, example = json!({ "providers": ["gitlab", "notion"] }))]
struct SelectBody {
    /// Ids of providers. Those that are unknown, have no server, or are not connected are ignored.
    providers: Vec<String>,
}

impl FromMembers for SelectBody {
    fn from_members(members: &mut Members) -> Option<Self> {
        let providers = members.required("providers", Members::list);
        Some(Self { providers: providers? })
    }
}

/// Set the enabled MCP servers
///
/// Replaces the set. The runtime gets it at the agent's next redeploy. A server is fed by the agent's integration under
/// the label `default`, else by the oldest one, and is switched off when the last one is removed.
///
/// `redeployRequired` is true while what a redeploy would hand over, credentials included, differs from what the
/// runtime confirmed last.
#[utoipa::path(
    tag = "MCP servers",
    params(AgentPath),
    request_body = SelectBody,
    security(("bearer" = ["integrations:write"])),
    responses((status = 200, description = "The set as it is now.", body = SelectionBody)),
)]
#[put("/api/agents/{id}/mcp-servers")]
async fn select_mcp_servers(
    call: Authorized<IntegrationsWrite, AgentPath>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let SelectBody { providers } = body.read(&call.api.ports.limits).await?.parse()?;
    let selected = call.api.ports.mcp_servers.select(&call.caller, call.head.id, &providers).await?;
    answer::ok(&SelectionBody::of(selected.ok_or_else(agent_not_found)?))
}
