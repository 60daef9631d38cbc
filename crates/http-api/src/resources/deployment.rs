//! What an agent's redeploy hands over, and redeploys.

mod view;

use actix_web::{HttpRequest, HttpResponse, get, post};
use nora_mcp_servers::{Form, ResolveError};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::answer::{self, Accepted};
use crate::auth::Authorized;
use crate::auth::scope::{AgentsRead, AgentsWrite};
use crate::problem::Problem;
use crate::request::{AgentPath, FromHead, Query, agent_not_found};
use view::DeploymentBody;

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(get_agent_deployment).service(redeploy_agent);
}

/// How the document is to be written.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct DeploymentQuery {
    /// Who reads `document`: `claude`, `openclaw`, `hermes` or `plain`. The agent's own kind of runtime if it is left
    /// out.
    #[param(rename = "for", value_type = Option<String>, example = "claude")]
    form: Option<Form>,
}

impl FromHead for DeploymentQuery {
    fn from_head(request: &HttpRequest) -> Result<Self, Problem> {
        Ok(Self { form: Query::of(request).parsed("for")? })
    }
}

/// Get an agent's deployment
///
/// What a redeploy would hand over, with a reference in place of every credential; values travel on the push to the
/// runtime alone. Each server has the variables it declares and no others.
#[utoipa::path(
    tag = "MCP servers",
    params(AgentPath, DeploymentQuery),
    security(("bearer" = ["agents:read"])),
    responses((status = 200, description = "The deployment.", body = DeploymentBody)),
)]
#[get("/api/agents/{id}/deployment")]
async fn get_agent_deployment(
    call: Authorized<AgentsRead, (AgentPath, DeploymentQuery)>,
) -> Result<HttpResponse, Problem> {
    let (path, DeploymentQuery { form }) = &call.head;
    let found = call.api.ports.mcp_servers.deployment(&call.caller, path.id).await?;
    answer::ok(&DeploymentBody::of(&found.ok_or_else(agent_not_found)?, *form))
}

/// Redeploy an agent
///
/// Hands the runtime its MCP servers, and tries again until the runtime confirms them. While one redeploy waits or is
/// under way, asking again hands over nothing twice. `deployment` in the agent's sync state says how far it is.
#[utoipa::path(
    tag = "MCP servers",
    params(AgentPath),
    security(("bearer" = ["agents:write"])),
    responses((status = 202, description = "A redeploy is due.", body = Accepted)),
)]
#[post("/api/agents/{id}/redeploy")]
async fn redeploy_agent(call: Authorized<AgentsWrite, AgentPath>) -> Result<HttpResponse, Problem> {
    if call.api.ports.mcp_servers.request_redeploy(&call.caller, call.head.id).await? {
        answer::accepted()
    } else {
        Err(agent_not_found())
    }
}

impl From<ResolveError> for Problem {
    fn from(error: ResolveError) -> Self {
        match error {
            ResolveError::Vault(_) => Self::passing(error),
            ResolveError::Unavailable(error) => error.into(),
        }
    }
}
