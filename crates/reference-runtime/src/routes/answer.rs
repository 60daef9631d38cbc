//! Answers, right and wrong ones.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::WWW_AUTHENTICATE;
use actix_web::web::Bytes;
use futures_util::stream;
use serde_json::json;

use crate::faults::{Fault, Route};
use crate::routes::Shared;

pub(super) fn refused(status: StatusCode, reason: &str) -> HttpResponse {
    HttpResponse::build(status).json(json!({ "error": reason }))
}

pub(super) fn unauthorized() -> HttpResponse {
    let mut answer = refused(StatusCode::UNAUTHORIZED, "the bearer token is missing or wrong");
    answer.headers_mut().insert(WWW_AUTHENTICATE, actix_web::http::header::HeaderValue::from_static("Bearer"));
    answer
}

/// Serves a request, or does to it what was asked for.
pub(super) async fn with_faults(
    shared: &Shared,
    route: Route,
    serve: impl Future<Output = HttpResponse>,
) -> HttpResponse {
    match shared.handle.faults.meet(route) {
        None => serve.await,
        Some(Fault::Answer { status, headers, body }) => told(status, headers, body),
        Some(Fault::Delay(time)) => delayed(time, serve).await,
        Some(Fault::Silence) => std::future::pending().await,
        Some(Fault::Cut) => cut(),
        Some(Fault::CutAfterwards) => {
            serve.await;
            cut()
        }
    }
}

fn told(status: u16, headers: Vec<(&'static str, String)>, body: String) -> HttpResponse {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut answer = HttpResponse::build(status);
    for header in headers {
        answer.append_header(header);
    }
    answer.body(body)
}

async fn delayed(time: Duration, serve: impl Future<Output = HttpResponse>) -> HttpResponse {
    tokio::time::sleep(time).await;
    serve.await
}

/// Promises more than it tells, then closes the connection.
fn cut() -> HttpResponse {
    let end = std::io::Error::from(std::io::ErrorKind::ConnectionAborted);
    HttpResponse::Ok().no_chunking(1000).streaming(stream::iter([Ok(Bytes::from_static(b"{")), Err(end)]))
}
