//! How far an agent's runtime is.

mod view;

use actix_web::{HttpResponse, get, post};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::answer::{self, Accepted};
use crate::auth::Authorized;
use crate::auth::scope::{AgentsRead, AgentsWrite};
use crate::problem::Problem;
use crate::request::{AgentPath, agent_not_found};
use view::SyncBody;

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(get_agent_sync).service(request_agent_sync);
}

/// Get an agent's sync state
///
/// What the runtime should have, what it confirmed, and what became of each variable. Nothing is reported live that
/// the runtime has not confirmed.
///
/// `deployment` describes the agent's MCP servers: `in_sync` once the runtime confirmed what a redeploy would hand over,
/// `pending` while one is due or under way.
#[utoipa::path(
    tag = "Agents",
    params(AgentPath),
    security(("bearer" = ["agents:read"])),
    responses((status = 200, description = "The state.", body = SyncBody)),
)]
#[get("/api/agents/{id}/sync")]
async fn get_agent_sync(call: Authorized<AgentsRead, AgentPath>) -> Result<HttpResponse, Problem> {
    let ports = &call.api.ports;
    let view = ports.connections.sync_view(&call.caller, call.head.id).await?.ok_or_else(agent_not_found)?;
    let deployment = ports.mcp_servers.status(&call.caller, call.head.id).await?.ok_or_else(agent_not_found)?;
    answer::ok(&SyncBody::of(view, &deployment))
}

/// Sync an agent now
///
/// Pushes to the runtime at once, also after a failure that is not retried by itself. A runtime calls it when it
/// starts.
#[utoipa::path(
    tag = "Agents",
    params(AgentPath),
    security(("bearer" = ["agents:write"])),
    responses((status = 202, description = "A push is due.", body = Accepted)),
)]
#[post("/api/agents/{id}/sync")]
async fn request_agent_sync(call: Authorized<AgentsWrite, AgentPath>) -> Result<HttpResponse, Problem> {
    call.api.ports.agents.request_sync(&call.caller, call.head.id).await?;
    answer::accepted()
}
