//! Agents: what this service keeps to reach one.

mod change;
mod create;
mod problems;
mod view;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, delete, get, patch, post};
use nora_agents::Agent;
use nora_kernel::{Caller, Scope, StoredAnswer};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::answer::{self, Success};
use crate::auth::scope::{AgentsRead, AgentsWrite, IntegrationsWrite};
use crate::auth::{Authorized, scope_missing};
use crate::idempotency::{self, Begun, KeyHeader};
use crate::problem::Problem;
use crate::request::{AgentPath, Body, PageQuery, agent_not_found, paged};
use change::ChangeAgentBody;
use create::CreateAgentBody;
use view::{AgentView, DeviceKeyView};

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list_agents).service(create_agent).service(get_agent).service(change_agent).service(delete_agent);
    config.service(get_device_key);
}

const PATH: &str = "/api/agents";

/// List agents
///
/// A workspace's agents, newest first.
#[utoipa::path(
    tag = "Agents",
    params(PageQuery),
    security(("bearer" = ["agents:read"])),
    responses((status = 200, description = "One page.", body = [AgentView],
        headers(("Link" = String, description = "Where the next page is (`rel=\"next\"`), if there is one.")))),
)]
#[get("/api/agents")]
async fn list_agents(call: Authorized<AgentsRead, PageQuery>) -> Result<HttpResponse, Problem> {
    let workspace = call.head.workspace_for(&call.caller)?;
    let page = call.api.ports.agents.list(&workspace, call.head.request()).await?;
    paged(PATH, &call.head, page, |agent| AgentView::of(&agent))
}

/// Register an agent
///
/// Tells this service where an agent's runtime is and what opens it. The runtime is pushed the empty set at once, so
/// that its state is known from the start. Tokens and keys are write-only.
#[utoipa::path(
    tag = "Agents",
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes the request safe to repeat for 24 hours.")),
    request_body = CreateAgentBody,
    security(("bearer" = ["agents:write", "integrations:write"])),
    responses(
        (status = 201, description = "The agent.", body = AgentView,
            headers(
                ("Location" = String, description = "The agent's path."),
                ("Idempotency-Replayed" = String, description = "`true` if this is the answer of an earlier request."),
            )),
        (status = 409, description = "`agent_exists`, `gateway_taken`, `idempotency_mismatch` or \
            `idempotency_in_progress`.", body = crate::problem::ProblemBody, content_type = "application/problem+json"),
    ),
)]
#[post("/api/agents")]
async fn create_agent(
    call: Authorized<(AgentsWrite, IntegrationsWrite), KeyHeader>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let Authorized { caller, head: key, api, .. } = call;
    let body = body.read(&api.ports.limits).await?;
    let attempt = match idempotency::begin(&api, &caller, key, format!("POST {PATH}"), &body).await? {
        Begun::Fresh(attempt) => attempt,
        Begun::Replayed(answer) => return Ok(answer),
    };
    let answer: fn(&Agent) -> StoredAnswer = created;
    let mut request = body.parse::<CreateAgentBody>()?.into_request();
    request.idempotency = attempt.request().map(|request| (request, answer));
    match api.ports.agents.create(&caller, request).await {
        Ok(agent) => answer::stored(created(&agent)),
        Err(error) => attempt.refused(&api, error.into()).await,
    }
}

/// The answer to a registration, now or when it is repeated.
fn created(agent: &Agent) -> StoredAnswer {
    StoredAnswer {
        status: StatusCode::CREATED.as_u16(),
        location: Some(format!("{PATH}/{}", agent.id)),
        body: answer::text(&AgentView::of(agent)),
    }
}

/// Get an agent
///
/// Where the agent's runtime is; never what opens it.
#[utoipa::path(
    tag = "Agents",
    params(AgentPath),
    security(("bearer" = ["agents:read"])),
    responses((status = 200, description = "The agent.", body = AgentView)),
)]
#[get("/api/agents/{id}")]
async fn get_agent(call: Authorized<AgentsRead, AgentPath>) -> Result<HttpResponse, Problem> {
    let found = call.api.ports.agents.find(&call.caller, call.head.id).await?;
    answer::ok(&AgentView::of(&found.ok_or_else(agent_not_found)?.agent))
}

/// Change an agent
///
/// What is left out stays. Changing `runtime` or `gateway` needs the scope `integrations:write` too. An address changes
/// only together with its token; the old address is emptied like a deleted agent's.
#[utoipa::path(
    tag = "Agents",
    params(AgentPath),
    request_body = ChangeAgentBody,
    security(("bearer" = ["agents:write"])),
    responses(
        (status = 200, description = "The agent.", body = AgentView),
        (status = 409, description = "`gateway_taken` or `change_conflict`.",
            body = crate::problem::ProblemBody, content_type = "application/problem+json"),
    ),
)]
#[patch("/api/agents/{id}")]
async fn change_agent(call: Authorized<AgentsWrite, AgentPath>, body: Body) -> Result<HttpResponse, Problem> {
    let body: ChangeAgentBody = body.read(&call.api.ports.limits).await?.parse()?;
    if body.moves_credentials() {
        require(&call.caller, Scope::IntegrationsWrite)?;
    }
    let changed = call.api.ports.agents.change(&call.caller, call.head.id, body.into_request()).await;
    answer::ok(&AgentView::of(&changed.map_err(Problem::from)?))
}

/// What only a body can tell to be needed.
fn require(caller: &Caller, scope: Scope) -> Result<(), Problem> {
    if caller.scopes.allow(scope) { Ok(()) } else { Err(scope_missing(scope)) }
}

/// Delete an agent
///
/// The agent is absent from now on. Its runtime is pushed the empty set until that is confirmed, for 24 hours at most;
/// then its rows and its data key are destroyed.
#[utoipa::path(
    tag = "Agents",
    params(AgentPath),
    security(("bearer" = ["agents:write"])),
    responses((status = 200, description = "It is deleted.", body = Success)),
)]
#[delete("/api/agents/{id}")]
async fn delete_agent(call: Authorized<AgentsWrite, AgentPath>) -> Result<HttpResponse, Problem> {
    call.api.ports.agents.delete(&call.caller, call.head.id).await?;
    answer::success()
}

/// Get an agent's device key
///
/// The public half of the key that this service signs with at the agent's gateway: what an operator pairs there.
#[utoipa::path(
    tag = "Agents",
    params(AgentPath),
    security(("bearer" = ["agents:read"])),
    responses(
        (status = 200, description = "The public half.", body = DeviceKeyView),
        (status = 404, description = "`agent_not_found`, or `gateway_not_found` if the agent has no gateway.",
            body = crate::problem::ProblemBody, content_type = "application/problem+json"),
    ),
)]
#[get("/api/agents/{id}/device-key")]
async fn get_device_key(call: Authorized<AgentsRead, AgentPath>) -> Result<HttpResponse, Problem> {
    let device = call.api.ports.agents.device(&call.caller, call.head.id).await?;
    answer::ok(&DeviceKeyView::from(device))
}
