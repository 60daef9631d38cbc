//! What is told about a request: never its query, its headers or its body.

use std::time::Duration;

use actix_web::body::BoxBody;
use actix_web::dev::ServiceResponse;
use actix_web::http::{Method, StatusCode};
use nora_kernel::RequestId;
use tracing::Span;
use tracing::field::Empty;

use super::panics::Panicked;
use crate::Api;
use crate::metrics::known;

/// The route of a request that matched none: a path is a client's text.
const UNMATCHED: &str = "(unmatched)";
/// The route of a request that went down with its handler.
const LOST: &str = "(lost)";

/// The span of a request. Who asks is recorded once it is known, and how it ended when it has.
pub(super) fn span(method: &Method, id: RequestId) -> Span {
    tracing::info_span!(
        "request",
        id = %id,
        method = known(method),
        route = Empty,
        actor.kind = Empty,
        actor.id = Empty,
        status = Empty,
        latency_us = Empty,
    )
}

/// Records how the request of the present span ended.
pub(super) fn ended(
    api: &Api,
    method: &Method,
    answer: &Result<ServiceResponse<BoxBody>, Panicked>,
    latency: Duration,
) {
    let (route, status) = if let Ok(response) = answer {
        (response.request().match_pattern().unwrap_or_else(|| UNMATCHED.to_owned()), response.status())
    } else {
        tracing::error!("a handler panicked");
        (LOST.to_owned(), StatusCode::INTERNAL_SERVER_ERROR)
    };
    // Only this line shows them, and every record costs as much as a line.
    if tracing::enabled!(tracing::Level::DEBUG) {
        let span = Span::current();
        span.record("route", &route);
        span.record("status", status.as_u16());
        span.record("latency_us", u64::try_from(latency.as_micros()).unwrap_or(u64::MAX));
        tracing::debug!("answered");
    }
    api.ports.metrics.observe(route, method, status, latency);
}
