//! API keys.

mod view;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, delete, get, post};
use nora_access::{CreateKey, CreateKeyError, KeyName, RevokeKeyError};
use nora_kernel::{Scope, Timestamp, Workspace};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::answer::{self, Success};
use crate::auth::scope::{KeysRead, KeysWrite};
use crate::auth::{Authorized, scope_missing};
use crate::idempotency::NoKeyHeader;
use crate::problem::{ErrorCode, Problem};
use crate::request::{Body, FromMembers, KeyPath, Members, PageQuery, key_not_found, paged};
use view::{CreatedKeyView, KeyView, ScopeName};

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list_keys).service(create_key).service(revoke_key);
}

/// List API keys
///
/// A workspace's keys, newest first, without anything that could be used as a key. Revoked keys are not listed.
#[utoipa::path(
    tag = "Keys and audit",
    params(PageQuery),
    security(("bearer" = ["keys:read"])),
    responses((status = 200, description = "One page.", body = [KeyView],
        headers(("Link" = String, description = "Where the next page is (`rel=\"next\"`), if there is one.")))),
)]
#[get("/api/keys")]
async fn list_keys(call: Authorized<KeysRead, PageQuery>) -> Result<HttpResponse, Problem> {
    let workspace = call.head.workspace_for(&call.caller)?;
    let page = call.api.ports.keys.list(&workspace, call.head.request()).await?;
    paged("/api/keys", &call.head, page, |key| KeyView::of(&key))
}

/// A key to be made.
#[derive(Debug, ToSchema)]
#[schema(as = CreateKey, example = json!({ "name": "CI", "scopes": ["integrations:read"] }))]
struct CreateKeyBody {
    /// What a person calls it: 1 to 200 characters.
    #[schema(value_type = String, min_length = 1, max_length = 200)]
    name: KeyName,
    /// What it may do: at least one scope, none that its maker lacks.
    #[schema(value_type = Vec<ScopeName>, min_items = 1)]
    scopes: Vec<Scope>,
    /// Where it may do it. Only `admin` may name another workspace than its own.
    #[schema(value_type = Option<String>)]
    workspace: Option<Workspace>,
    /// From when on it is refused; never if it is left out.
    #[schema(value_type = Option<crate::wire::Time>)]
    expires_at: Option<Timestamp>,
}

impl FromMembers for CreateKeyBody {
    fn from_members(members: &mut Members) -> Option<Self> {
        let name = members.required("name", Members::parsed);
        let scopes = members.required("scopes", Members::list);
        let workspace = members.parsed("workspace");
        let expires_at = members.parsed("expires_at");
        Some(Self { name: name?, scopes: scopes?, workspace, expires_at })
    }
}

/// Make an API key
///
/// The key is shown in this answer and never again. It can do no more than its maker. The answer is not kept for
/// repeated requests, so `Idempotency-Key` is refused.
#[utoipa::path(
    tag = "Keys and audit",
    request_body = CreateKeyBody,
    security(("bearer" = ["keys:write"])),
    responses((status = 201, description = "The key.", body = CreatedKeyView)),
)]
#[post("/api/keys")]
async fn create_key(call: Authorized<KeysWrite, NoKeyHeader>, body: Body) -> Result<HttpResponse, Problem> {
    let body = body.read(&call.api.ports.limits).await?;
    let CreateKeyBody { name, scopes, workspace, expires_at } = body.parse()?;
    let request = CreateKey { name, scopes: scopes.into_iter().collect(), workspace, expires_at };
    let created = call.api.ports.keys.create(&call.caller, request).await?;
    answer::secret_json(StatusCode::CREATED, &CreatedKeyView::of(&created))
}

/// Revoke an API key
///
/// The key is refused from the next request on here, and within a second on other replicas. Only a caller that holds
/// every scope of a key may revoke it.
#[utoipa::path(
    tag = "Keys and audit",
    params(KeyPath),
    security(("bearer" = ["keys:write"])),
    responses((status = 200, description = "It is revoked.", body = Success)),
)]
#[delete("/api/keys/{id}")]
async fn revoke_key(call: Authorized<KeysWrite, KeyPath>) -> Result<HttpResponse, Problem> {
    call.api.ports.keys.revoke(&call.caller, call.head.id).await?;
    answer::success()
}

impl From<CreateKeyError> for Problem {
    fn from(error: CreateKeyError) -> Self {
        match error {
            CreateKeyError::NoScopes => Self::at_pointer(ErrorCode::BodyInvalid, "/scopes", error),
            CreateKeyError::ExpiresInThePast => Self::at_pointer(ErrorCode::BodyInvalid, "/expires_at", error),
            CreateKeyError::ScopeBeyondMaker(scope) => scope_missing(scope),
            CreateKeyError::Workspace(error) => error.into(),
            CreateKeyError::Entropy(_) => Self::fault(error),
            CreateKeyError::Unavailable(error) => error.into(),
        }
    }
}

impl From<RevokeKeyError> for Problem {
    fn from(error: RevokeKeyError) -> Self {
        match error {
            RevokeKeyError::NotFound => key_not_found(),
            RevokeKeyError::ScopeBeyondCaller(scope) => scope_missing(scope),
            RevokeKeyError::Unavailable(error) => error.into(),
        }
    }
}
