//! The audit trail.

use actix_web::{HttpResponse, get};
use nora_kernel::audit::{Actor, AuditLine, Resource};
use nora_kernel::{AgentId, RequestId};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use crate::auth::Authorized;
use crate::auth::scope::AuditRead;
use crate::problem::Problem;
use crate::request::{PageQuery, paged};
use crate::wire::{ActorWord, OutcomeWord, PurposeWord, Time};

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list_audit);
}

/// Read the audit trail
///
/// A workspace's lines, newest first. Each change writes its line in its own transaction; so does each opening of
/// credentials, once per use. Lines hold names of fields, never values.
#[utoipa::path(
    tag = "Keys and audit",
    params(PageQuery),
    security(("bearer" = ["audit:read"])),
    responses((status = 200, description = "One page.", body = [LineView],
        headers(("Link" = String, description = "Where the next page is (`rel=\"next\"`), if there is one.")))),
)]
#[get("/api/audit")]
async fn list_audit(call: Authorized<AuditRead, PageQuery>) -> Result<HttpResponse, Problem> {
    let workspace = call.head.workspace_for(&call.caller)?;
    let page = call.api.ports.trail.list(&workspace, call.head.request()).await?;
    paged("/api/audit", &call.head, page, LineView::of)
}

/// One line: who did what to which thing, and how it ended.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditLine)]
struct LineView {
    /// The line's id.
    id: Uuid,
    /// When it happened.
    at: Time,
    /// Whose trail it belongs to.
    #[schema(example = "default")]
    workspace: String,
    /// Who acted.
    actor: ActorView,
    /// What was done.
    #[schema(example = "integration.created")]
    action: &'static str,
    /// To what.
    resource: ResourceView,
    /// The agent it concerns, if one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    agent_id: Option<Uuid>,
    /// What credentials were opened for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    purpose: Option<PurposeWord>,
    /// How it ended.
    outcome: OutcomeWord,
    /// The request that caused it; null for the service's own work.
    request_id: Option<Uuid>,
}

/// Who acted.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditActor)]
struct ActorView {
    /// Its kind.
    kind: ActorWord,
    /// What tells it from others of its kind.
    #[schema(example = "0198f0c4-5a1e-7cc3-98c4-dc0c0c07398f")]
    id: String,
}

/// What a line is about.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditResource)]
struct ResourceView {
    /// Its kind, such as `agent`, `integration` or `key`.
    #[schema(example = "integration")]
    kind: &'static str,
    /// Its id.
    #[schema(example = "c3d4e5f6-a7b8-9012-cdef-234567890123")]
    id: String,
}

impl LineView {
    fn of(line: AuditLine) -> Self {
        let AuditLine { id, at, workspace, actor, action, resource, agent, purpose, outcome, request } = line;
        Self {
            id: id.as_uuid(),
            at: Time(at),
            workspace: workspace.to_string(),
            actor: ActorView::of(&actor),
            action: action.as_str(),
            resource: ResourceView::of(resource),
            agent_id: agent.map(AgentId::as_uuid),
            purpose: purpose.map(|purpose| PurposeWord(purpose.as_str())),
            outcome: OutcomeWord(outcome.as_str()),
            request_id: request.map(RequestId::as_uuid),
        }
    }
}

impl ActorView {
    fn of(actor: &Actor) -> Self {
        Self { kind: ActorWord(actor.kind()), id: actor.id() }
    }
}

impl ResourceView {
    fn of(resource: Resource) -> Self {
        let Resource { kind, id } = resource;
        Self { kind: kind.as_str(), id }
    }
}
