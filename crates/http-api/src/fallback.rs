//! Requests no handler is for: an unknown path, or a known one with another method.

use std::sync::LazyLock;

use actix_web::dev::ResourceDef;
use actix_web::{HttpRequest, HttpResponse};

use crate::openapi;
use crate::problem::{ErrorCode, Problem};

/// A path of the API and what it takes.
struct Known {
    path: ResourceDef,
    allow: String,
}

/// The OpenAPI document is collected from the handlers, so that this table knows every route there is.
static ROUTES: LazyLock<Vec<Known>> = LazyLock::new(|| {
    let paths = openapi().paths.paths;
    paths
        .iter()
        .map(|(path, item)| Known { path: ResourceDef::new(path.as_str()), allow: openapi::allow(item) })
        .collect()
});

/// Needs no token: which routes exist is no secret.
pub(crate) async fn fallback(request: HttpRequest) -> Result<HttpResponse, Problem> {
    match ROUTES.iter().find(|known| known.path.is_match(request.path())) {
        Some(known) => Err(Problem::new(ErrorCode::MethodNotAllowed, "the route does not take this method")
            .allowing(known.allow.clone())),
        None => Err(Problem::new(ErrorCode::NotFound, "there is no such route")),
    }
}
