//! Testing connections against the real service.

mod view;

use actix_web::{HttpResponse, post, web};
use nora_integrations::{Candidate, Limited, SecretsError, TestError};
use nora_kernel::Secret;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::answer;
use crate::auth::Authorized;
use crate::auth::scope::IntegrationsWrite;
use crate::fallback::fallback;
use crate::problem::{ErrorCode, Problem};
use crate::request::{AgentPath, Body, FromMembers, IntegrationPath, Members, agent_not_found, integration_not_found};
use view::TestResult;

/// Comes before the routes of single integrations: `test` is no integration's id, but it would match as one, and then
/// other methods would find no integration instead of no method.
pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(test_candidate).route(CANDIDATE_PATH, web::to(fallback)).service(test_integration);
}

const CANDIDATE_PATH: &str = "/api/agents/{id}/integrations/test";

/// A connection to be tested and not kept.
#[derive(Debug, ToSchema)]
#[schema(as = TestCandidate, example = json!({ "provider": "slack", "token": "xoxb-your-slack-bot-token" }))]
struct CandidateBody {
    /// The id of a catalog entry.
    #[schema(value_type = String)]
    provider: Option<String>,
    /// The provider's first credential. Required for the auth types `token` and `apikey`.
    #[schema(value_type = Option<String>, write_only)]
    token: Option<Secret>,
    /// Everything else, as the entry's `config_schema` has it.
    #[schema(value_type = Option<Object>)]
    config: Option<Map<String, Value>>,
}

impl FromMembers for CandidateBody {
    fn from_members(members: &mut Members) -> Option<Self> {
        Some(Self {
            provider: members.text("provider"),
            token: members.secret("token"),
            config: members.object("config"),
        })
    }
}

/// Test a connection that is not saved
///
/// Asks the service whether the credentials work, without changing anything there or here. Nothing of the request is
/// kept. At most 60 tests a minute for one key and for one host.
#[utoipa::path(
    tag = "Agent integrations",
    params(AgentPath),
    request_body = CandidateBody,
    security(("bearer" = ["integrations:write"])),
    responses(
        (status = 200, description = "What the test found; also a refusal by the service.", body = TestResult),
        (status = 429, description = "`too_many_requests`.", body = crate::problem::ProblemBody,
            content_type = "application/problem+json",
            headers(("Retry-After" = u64, description = "How many seconds to wait."))),
    ),
)]
#[post("/api/agents/{id}/integrations/test")]
async fn test_candidate(call: Authorized<IntegrationsWrite, AgentPath>, body: Body) -> Result<HttpResponse, Problem> {
    let CandidateBody { provider, token, config } = body.read(&call.api.ports.limits).await?.parse()?;
    let candidate = Candidate { agent: call.head.id, provider, token, config: config.unwrap_or_default() };
    let report = call.api.ports.connections.test_candidate(&call.caller, candidate).await;
    let report = report.map_err(|error| refusal(error, agent_not_found))?;
    answer::ok(&TestResult::of(&report))
}

/// Test an integration
///
/// Asks the service whether the saved credentials work, without changing anything there or here. At most 60 tests a
/// minute for one key and for one host.
#[utoipa::path(
    tag = "Agent integrations",
    params(IntegrationPath),
    security(("bearer" = ["integrations:write"])),
    responses(
        (status = 200, description = "What the test found; also a refusal by the service.", body = TestResult),
        (status = 429, description = "`too_many_requests`.", body = crate::problem::ProblemBody,
            content_type = "application/problem+json",
            headers(("Retry-After" = u64, description = "How many seconds to wait."))),
    ),
)]
#[post("/api/agents/{id}/integrations/{iid}/test")]
async fn test_integration(call: Authorized<IntegrationsWrite, IntegrationPath>) -> Result<HttpResponse, Problem> {
    let IntegrationPath { id, iid } = call.head;
    let report = call.api.ports.connections.test(&call.caller, id, iid).await;
    let report = report.map_err(|error| refusal(error, integration_not_found))?;
    answer::ok(&TestResult::of(&report))
}

/// `absent` is what is missing when something is: the use case does not know what the path was about.
fn refusal(error: TestError, absent: fn() -> Problem) -> Problem {
    match error {
        TestError::NotFound => absent(),
        TestError::Candidate(error) => error.into(),
        TestError::Limited(limited @ Limited { retry_after }) => {
            Problem::new(ErrorCode::TooManyRequests, limited.to_string()).after(retry_after)
        }
        TestError::Vault(SecretsError::Unavailable(_)) => Problem::passing(error),
        TestError::Vault(SecretsError::Unreadable) => Problem::fault(error),
        TestError::Unavailable(error) => error.into(),
    }
}
