//! Answers that are successes.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{ContentType, HeaderValue, LOCATION};
use bytes::Bytes;
use nora_kernel::StoredAnswer;
use serde::Serialize;
use utoipa::ToSchema;
use zeroize::Zeroizing;

use crate::problem::Problem;

/// It was done.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Success {
    /// Always true: what is not done is a problem.
    #[schema(example = true)]
    success: bool,
}

/// It will be done.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Accepted {
    /// Always true: what is not accepted is a problem.
    #[schema(example = true)]
    accepted: bool,
}

pub(crate) fn success() -> Result<HttpResponse, Problem> {
    ok(&Success { success: true })
}

pub(crate) fn accepted() -> Result<HttpResponse, Problem> {
    json(StatusCode::ACCEPTED, &Accepted { accepted: true })
}

pub(crate) fn ok(value: &impl Serialize) -> Result<HttpResponse, Problem> {
    json(StatusCode::OK, value)
}

pub(crate) fn json(status: StatusCode, value: &impl Serialize) -> Result<HttpResponse, Problem> {
    let body = serde_json::to_vec(value).map_err(Problem::fault)?;
    Ok(HttpResponse::build(status).insert_header(ContentType::json()).body(body))
}

/// The body of an answer that is kept. Our own structures of texts always serialise.
pub(crate) fn text(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// An answer that shows a secret: its memory is overwritten once it was sent.
pub(crate) fn secret_json(status: StatusCode, value: &impl Serialize) -> Result<HttpResponse, Problem> {
    // Room enough that it does not grow, which would leave a copy behind.
    let mut body = Zeroizing::new(Vec::with_capacity(4096));
    serde_json::to_writer(&mut *body, value).map_err(Problem::fault)?;
    Ok(HttpResponse::build(status).insert_header(ContentType::json()).body(Bytes::from_owner(body)))
}

/// An answer that was kept, or is being kept, for a repeated request.
pub(crate) fn stored(answer: StoredAnswer) -> Result<HttpResponse, Problem> {
    let StoredAnswer { status, location, body } = answer;
    let status = StatusCode::from_u16(status).map_err(Problem::fault)?;
    let mut response = HttpResponse::build(status).insert_header(ContentType::json()).body(body);
    if let Some(location) = location {
        let location = HeaderValue::from_str(&location).map_err(Problem::fault)?;
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}
