//! The OpenAPI document and the page that renders it. Nothing of it comes from another origin.

use actix_web::http::header::{
    ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, HeaderMap, HeaderValue, REFERRER_POLICY, VARY,
};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, get};
use bytes::Bytes;
use nora_catalog::Listing;
use nora_kernel::Digest;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::problem::{ErrorCode, Problem};
use crate::{Api, conditional, openapi_json};

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(get_openapi).service(get_docs).service(get_docs_script);
}

const PAGE: &[u8] = include_bytes!("docs/page.html");
/// The renderer, compressed once and for all. Its licence lies beside it.
const SCRIPT: &[u8] = include_bytes!("../../assets/scalar.js.gz");

/// Documents that never change while the process runs, with their entity tags.
pub(crate) struct Documents {
    openapi: Listing,
    page: Listing,
    script: Listing,
}

impl Documents {
    pub(crate) fn new(digest: &dyn Digest) -> Self {
        Self {
            openapi: Listing::new(openapi_json().into(), digest),
            page: Listing::new(Bytes::from_static(PAGE), digest),
            script: Listing::new(Bytes::from_static(SCRIPT), digest),
        }
    }
}

/// The page runs the one script beside it and talks to this service alone. The renderer sets styles by itself.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; img-src 'self' data:; font-src data:; \
     connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// Get the OpenAPI document
///
/// This API described in OpenAPI 3.1, collected from the handlers themselves.
#[utoipa::path(
    tag = "Operations",
    responses(
        (status = 200, description = "The document.", body = Object, content_type = "application/json"),
        (status = 304, description = "The client holds the present document."),
    ),
)]
#[get("/api/openapi.json")]
async fn get_openapi(api: Data<Api>, request: HttpRequest) -> HttpResponse {
    answer(&request, "application/json", &api.documents().openapi)
}

/// Read this reference
///
/// The OpenAPI document as a page.
#[utoipa::path(
    tag = "Operations",
    responses(
        (status = 200, description = "The page.", body = String, content_type = "text/html"),
        (status = 304, description = "The client holds the present page."),
    ),
)]
#[get("/docs")]
async fn get_docs(api: Data<Api>, request: HttpRequest) -> HttpResponse {
    let mut response = answer(&request, "text/html; charset=utf-8", &api.documents().page);
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, POLICY);
    response.headers_mut().insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

/// Get the script of the reference
///
/// The renderer of the page, compressed with gzip.
#[utoipa::path(
    tag = "Operations",
    responses(
        (status = 200, description = "The script.", body = String, content_type = "text/javascript"),
        (status = 304, description = "The client holds the present script."),
        (status = 406, description = "`not_acceptable`: the client does not take gzip.",
            body = crate::problem::ProblemBody, content_type = "application/problem+json"),
    ),
)]
#[get("/docs/scalar.js")]
async fn get_docs_script(api: Data<Api>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    if !takes_gzip(request.headers()) {
        return Err(Problem::new(
            ErrorCode::NotAcceptable,
            "the script is to be had with Content-Encoding: gzip alone",
        ));
    }
    let mut response = answer(&request, "text/javascript; charset=utf-8", &api.documents().script);
    response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    response.headers_mut().insert(VARY, HeaderValue::from_static("Accept-Encoding"));
    Ok(response)
}

fn answer(request: &HttpRequest, media_type: &'static str, document: &Listing) -> HttpResponse {
    conditional::document(request.headers(), &document.etag, media_type, document.body.clone())
}

/// Whether gzip is acceptable (RFC 9110, section 12.5.3): without the header every coding is.
fn takes_gzip(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(ACCEPT_ENCODING).filter_map(|value| value.to_str().ok()).peekable();
    if values.peek().is_none() {
        return true;
    }
    let codings: Vec<(&str, bool)> = values.flat_map(|value| value.split(',')).map(coding).collect();
    let weight = |name: &str| codings.iter().find(|(coding, _)| coding.eq_ignore_ascii_case(name));
    weight("gzip").or_else(|| weight("*")).is_some_and(|(_, wanted)| *wanted)
}

/// A coding, and whether its weight is above zero.
fn coding(item: &str) -> (&str, bool) {
    let (name, parameters) = item.split_once(';').unwrap_or((item, ""));
    let weight = parameters.trim().strip_prefix("q=").and_then(|weight| weight.parse::<f32>().ok());
    (name.trim(), weight.is_none_or(|weight| weight > 0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_taken_unless_it_is_refused() {
        let takes = |value| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(value));
            takes_gzip(&headers)
        };
        assert!(takes_gzip(&HeaderMap::new()));
        for accepted in ["gzip", "gzip, deflate, br", "br;q=1.0, GZIP;q=0.1", "*", "identity;q=0, *;q=0.5"] {
            assert!(takes(accepted), "{accepted}");
        }
        for refused in ["identity", "gzip;q=0", "*;q=0", "br, gzip; q=0.0", ""] {
            assert!(!takes(refused), "{refused}");
        }
    }
}
