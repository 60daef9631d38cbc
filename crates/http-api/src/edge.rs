//! What happens to every request and every answer, whichever route it is for.

mod panics;
mod trace;

use std::time::Instant;

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{CACHE_CONTROL, HeaderMap, HeaderName, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage as _, HttpResponse};
use nora_kernel::RequestId;
use tracing::Instrument as _;

use crate::problem::{ErrorCode, Problem, chain};
use crate::{Api, Limits};

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Gives a request its id and its span, and its answer everything that answers have in common.
pub(crate) async fn edge(
    api: &Api,
    mut request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let begun = Instant::now();
    let id = RequestId::from_uuid(api.ports.ids.next());
    request.extensions_mut().insert(id);
    let method = request.method().clone();
    let span = trace::span(&method, id);
    let outcome = if let Err(problem) = check_head(&request, &api.ports.limits) {
        Ok(request.error_response(problem))
    } else {
        route_head_as_get(&mut request);
        panics::caught(next, request).instrument(span.clone()).await
    };
    let _entered = span.enter();
    let answer = outcome.map(|response| finish(api, id, &method, response));
    trace::ended(api, &method, &answer, begun.elapsed());
    answer.map_err(|panicked| panicked.answered_as(id))
}

/// Marks a request that is routed as a GET and came as a HEAD.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AskedByHead;

/// Whoever may ask for a thing may ask whether it is there.
fn route_head_as_get(request: &mut ServiceRequest) {
    if request.method() == Method::HEAD {
        request.extensions_mut().insert(AskedByHead);
        request.head_mut().method = Method::GET;
    }
}

/// The server framework's own limits are wider.
fn check_head(request: &ServiceRequest, limits: &Limits) -> Result<(), Problem> {
    let target = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
    if target > limits.target {
        let detail = format!("a request target may have {} bytes", limits.target);
        return Err(Problem::new(ErrorCode::TargetTooLong, detail));
    }
    let headers = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len()).sum::<usize>();
    if headers > limits.headers {
        let detail = format!("headers may have {} bytes together", limits.headers);
        return Err(Problem::new(ErrorCode::HeadersTooLarge, detail));
    }
    Ok(())
}

fn finish(api: &Api, id: RequestId, method: &Method, response: ServiceResponse<BoxBody>) -> ServiceResponse<BoxBody> {
    let mut response = explained(id, response);
    if method == Method::HEAD {
        // Without a body's length: were it sent, a pipelined request could make the server send the body too.
        response = response.map_body(|_, _| BoxBody::new(()));
    }
    if api.is_draining() {
        response.response_mut().head_mut().set_connection_type(actix_web::http::ConnectionType::Close);
    }
    add_headers(response.headers_mut(), id);
    response
}

/// Replaces what an error left behind by the problem it stands for. A fault is logged here, and nowhere else.
fn explained(id: RequestId, response: ServiceResponse<BoxBody>) -> ServiceResponse<BoxBody> {
    let Some(error) = response.response().error() else { return response };
    let answer = match error.as_error::<Problem>() {
        Some(problem) => logged(problem, id),
        None => logged(&Problem::fault(format!("an error no handler explained: {error}")), id),
    };
    response.into_response(answer)
}

fn logged(problem: &Problem, id: RequestId) -> HttpResponse {
    if let Some(cause) = problem.cause() {
        tracing::error!(code = problem.code().as_str(), error = chain(cause.as_ref()), "a request failed");
    }
    problem.answer(id)
}

fn add_headers(headers: &mut HeaderMap, id: RequestId) {
    if let Ok(id) = HeaderValue::from_str(&id.to_string()) {
        headers.insert(X_REQUEST_ID, id);
    }
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}
