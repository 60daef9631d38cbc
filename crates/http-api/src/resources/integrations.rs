//! An agent's integrations.

mod connect;
pub(super) mod problems;
mod view;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, delete, get, patch, post};
use nora_catalog::Catalog;
use nora_integrations::{ChangeIntegration, Integration};
use nora_kernel::{Secret, StoredAnswer};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::answer::{self, Success};
use crate::auth::Authorized;
use crate::auth::scope::{IntegrationsRead, IntegrationsWrite};
use crate::idempotency::{self, Begun, KeyHeader};
use crate::problem::Problem;
use crate::request::{AgentPath, Body, FromMembers, IntegrationPath, Members, agent_not_found, integration_not_found};
use connect::ConnectBody;
use view::IntegrationView;

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list_agent_integrations)
        .service(connect_integration)
        .service(get_agent_integration)
        .service(change_integration)
        .service(remove_integration);
}

/// List an agent's integrations
///
/// Every integration of the agent, newest first, without its secrets.
#[utoipa::path(
    tag = "Agent integrations",
    params(AgentPath),
    security(("bearer" = ["integrations:read"])),
    responses((status = 200, description = "The integrations.", body = [IntegrationView])),
)]
#[get("/api/agents/{id}/integrations")]
async fn list_agent_integrations(call: Authorized<IntegrationsRead, AgentPath>) -> Result<HttpResponse, Problem> {
    let connections = &call.api.ports.connections;
    let found = connections.list(&call.caller, call.head.id).await?.ok_or_else(agent_not_found)?;
    let views: Vec<_> = found.iter().map(|found| IntegrationView::of(found, &connections.catalog)).collect();
    answer::ok(&views)
}

/// Get an integration
///
/// One integration of the agent, without its secrets.
#[utoipa::path(
    tag = "Agent integrations",
    params(IntegrationPath),
    security(("bearer" = ["integrations:read"])),
    responses((status = 200, description = "The integration.", body = IntegrationView)),
)]
#[get("/api/agents/{id}/integrations/{iid}")]
async fn get_agent_integration(call: Authorized<IntegrationsRead, IntegrationPath>) -> Result<HttpResponse, Problem> {
    let IntegrationPath { id, iid } = call.head;
    let connections = &call.api.ports.connections;
    let found = connections.find(&call.caller, id, iid).await?.ok_or_else(integration_not_found)?;
    answer::ok(&IntegrationView::of(&found.integration, &connections.catalog))
}

/// Connect an integration
///
/// Encrypts the credentials, keeps them, and pushes them to the agent's runtime at once. They are never returned.
#[utoipa::path(
    tag = "Agent integrations",
    params(
        AgentPath,
        ("Idempotency-Key" = Option<String>, Header, description = "Makes the request safe to repeat for 24 hours."),
    ),
    request_body = ConnectBody,
    security(("bearer" = ["integrations:write"])),
    responses(
        (status = 201, description = "The integration.", body = IntegrationView,
            headers(
                ("Location" = String, description = "The integration's path."),
                ("Idempotency-Replayed" = String, description = "`true` if this is the answer of an earlier request."),
            )),
        (status = 409, description = "`integration_exists` (`integration_id` names it), `idempotency_mismatch` or \
            `idempotency_in_progress`.", body = crate::problem::ProblemBody, content_type = "application/problem+json"),
    ),
)]
#[post("/api/agents/{id}/integrations")]
async fn connect_integration(
    call: Authorized<IntegrationsWrite, (AgentPath, KeyHeader)>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let Authorized { caller, head: (path, key), api, .. } = call;
    let connections = &api.ports.connections;
    let body = body.read(&api.ports.limits).await?;
    let route = format!("POST {}", list_path(path));
    let attempt = match idempotency::begin(&api, &caller, key, route, &body).await? {
        Begun::Fresh(attempt) => attempt,
        Begun::Replayed(answer) => return Ok(answer),
    };
    let answer: fn(&Integration, &Catalog) -> StoredAnswer = connected;
    let mut request = body.parse::<ConnectBody>()?.into_request(path.id);
    request.idempotency = attempt.request().map(|request| (request, answer));
    match connections.connect(&caller, request).await {
        Ok(integration) => answer::stored(connected(&integration, &connections.catalog)),
        Err(error) => attempt.refused(&api, error.into()).await,
    }
}

/// The answer to a connect request, now or when it is repeated.
fn connected(integration: &Integration, catalog: &Catalog) -> StoredAnswer {
    let list = list_path(AgentPath { id: integration.agent });
    StoredAnswer {
        status: StatusCode::CREATED.as_u16(),
        location: Some(format!("{list}/{}", integration.id)),
        body: answer::text(&IntegrationView::of(integration, catalog)),
    }
}

fn list_path(agent: AgentPath) -> String {
    format!("/api/agents/{}/integrations", agent.id)
}

/// What changes about an integration. What is left out stays.
#[derive(Debug, ToSchema)]
#[schema(as = ChangeIntegration, example = json!({ "token": "NEW_TOKEN" }))]
struct ChangeIntegrationBody {
    /// A new token.
    #[schema(value_type = Option<String>, nullable = false, write_only)]
    token: Option<Secret>,
    /// A merge patch (RFC 7396) for the configuration: absent keeps, a value replaces, null removes. The result is
    /// validated as a whole; secrets that are kept count as present.
    #[schema(value_type = Option<Object>, nullable = false)]
    config: Option<Map<String, Value>>,
}

impl FromMembers for ChangeIntegrationBody {
    fn from_members(members: &mut Members) -> Option<Self> {
        Some(Self { token: members.secret("token"), config: members.object("config") })
    }
}

/// Change an integration
///
/// Replaces the token, merges the configuration, and pushes the result like a new connection. Changing a field that
/// decides where credentials are sent (`x-destination`) needs every secret again. New secrets end `needs_reconnect`.
#[utoipa::path(
    tag = "Agent integrations",
    params(IntegrationPath),
    request_body = ChangeIntegrationBody,
    security(("bearer" = ["integrations:write"])),
    responses(
        (status = 200, description = "The integration.", body = IntegrationView),
        (status = 409, description = "`change_conflict`.",
            body = crate::problem::ProblemBody, content_type = "application/problem+json"),
    ),
)]
#[patch("/api/agents/{id}/integrations/{iid}")]
async fn change_integration(
    call: Authorized<IntegrationsWrite, IntegrationPath>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let ChangeIntegrationBody { token, config } = body.read(&call.api.ports.limits).await?.parse()?;
    let IntegrationPath { id: agent, iid: id } = call.head;
    let connections = &call.api.ports.connections;
    let changed = connections.change(&call.caller, ChangeIntegration { agent, id, token, config }).await?;
    answer::ok(&IntegrationView::of(&changed, &connections.catalog))
}

/// Remove an integration
///
/// The next sync takes its credentials out of the agent's runtime.
#[utoipa::path(
    tag = "Agent integrations",
    params(IntegrationPath),
    security(("bearer" = ["integrations:write"])),
    responses((status = 200, description = "It is removed.", body = Success)),
)]
#[delete("/api/agents/{id}/integrations/{iid}")]
async fn remove_integration(call: Authorized<IntegrationsWrite, IntegrationPath>) -> Result<HttpResponse, Problem> {
    let IntegrationPath { id, iid } = call.head;
    call.api.ports.connections.remove(&call.caller, id, iid).await?;
    answer::success()
}
