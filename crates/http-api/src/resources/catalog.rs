//! The catalog: documents that never change while the process runs, as shared bytes.

mod view;

use actix_web::{HttpRequest, HttpResponse, get};
use nora_catalog::Filter;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::auth::Authorized;
use crate::auth::scope::AnyToken;
use crate::conditional;
use crate::problem::{ErrorCode, Problem};
use crate::request::{CatalogItemPath, FromHead, Query};
use view::{AuthType, CatalogItem};

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list_catalog).service(get_catalog_item);
}

/// Which entries are wanted.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct CatalogQuery {
    /// Only entries of this category.
    #[param(example = "communication")]
    category: Option<String>,
    /// Only entries whose id, name or description holds every word of this text, in any case.
    #[param(example = "chat")]
    q: Option<String>,
    /// Only entries whose credential is used this way.
    auth_type: Option<AuthType>,
}

impl FromHead for CatalogQuery {
    fn from_head(request: &HttpRequest) -> Result<Self, Problem> {
        let query = Query::of(request);
        Ok(Self { category: query.text("category")?, q: query.text("q")?, auth_type: query.parsed("auth_type")? })
    }
}

/// List the catalog
///
/// Every provider an agent can be connected to, by category and then by name. The answer has a strong `ETag`; sent
/// back as `If-None-Match` it is answered by 304 while nothing has changed.
#[utoipa::path(
    tag = "Catalog",
    params(
        CatalogQuery,
        ("If-None-Match" = Option<String>, Header, description = "Entity tags of answers the client holds."),
    ),
    security(("bearer" = [])),
    responses(
        (status = 200, description = "The entries.", body = [CatalogItem],
            headers(("ETag" = String, description = "Changes with the answer."))),
        (status = 304, description = "The client holds the present answer."),
    ),
)]
#[get("/api/integrations/catalog")]
async fn list_catalog(call: Authorized<AnyToken, CatalogQuery>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let CatalogQuery { category, q, auth_type } = &call.head;
    let filter =
        Filter { category: category.as_deref(), text: q.as_deref(), auth_type: auth_type.map(AuthType::as_str) };
    let listing = call.api.ports.connections.catalog.list(&filter);
    Ok(conditional::json(request.headers(), &listing.etag, listing.body))
}

/// Get a catalog item
///
/// One provider: what a connection needs, which variables it sets, and how it can be tested.
#[utoipa::path(
    tag = "Catalog",
    params(
        CatalogItemPath,
        ("If-None-Match" = Option<String>, Header, description = "Entity tags of answers the client holds."),
    ),
    security(("bearer" = [])),
    responses(
        (status = 200, description = "The entry.", body = CatalogItem,
            headers(("ETag" = String, description = "Changes with the answer."))),
        (status = 304, description = "The client holds the present answer."),
    ),
)]
#[get("/api/integrations/catalog/{catalogId}")]
async fn get_catalog_item(
    call: Authorized<AnyToken, CatalogItemPath>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let entry = call.api.ports.connections.catalog.entry(&call.head.id).ok_or_else(not_found)?;
    let item = entry.item();
    Ok(conditional::json(request.headers(), &item.etag, item.body.clone()))
}

fn not_found() -> Problem {
    Problem::new(ErrorCode::CatalogItemNotFound, "there is no such catalog item")
}
