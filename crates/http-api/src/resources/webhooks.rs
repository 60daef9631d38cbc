//! The public URLs that third parties post to.

use std::sync::Arc;
use std::time::Duration;

use actix_web::body::BoxBody;
use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use actix_web::web::{self, Data};
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse, get, post};
use bytes::Bytes;
use nora_kernel::{ChannelId, Unavailable};
use nora_webhooks::{
    DEFAULT_MAX_BODY, HandshakeMethod, Inbound, InboundHeaders, OpenChannel, Overrun, Receipt, ReceiveError, Reply,
};
use serde::Serialize;
use utoipa::{IntoResponses, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::edge::AskedByHead;
use crate::problem::{ErrorCode, Problem, ProblemBody};
use crate::request::WebhookPath;
use crate::webhook_body::{self, busy, too_large};
use crate::{Api, answer};

/// The pause between two looks at a store that does not answer.
const PAUSE: Duration = Duration::from_millis(100);

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(receive_webhook).service(answer_handshake);
}

/// The webhook is kept.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WebhookReceived)]
struct Received {
    /// Always true: what is not kept is a problem.
    #[schema(example = true)]
    received: bool,
}

/// What any route for third parties may answer.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "they are described here and made as problems")]
enum PublicProblems {
    /// `not_found`: there is no such route.
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(ProblemBody<'static>),
    /// `too_many_requests`: try again after `Retry-After` seconds.
    #[response(status = 429, content_type = "application/problem+json")]
    TooManyRequests(ProblemBody<'static>),
    /// `internal`: the service failed.
    #[response(status = 500, content_type = "application/problem+json")]
    Internal(ProblemBody<'static>),
    /// `unavailable`: try again after `Retry-After` seconds.
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(ProblemBody<'static>),
}

/// Receive a webhook
///
/// Public: the request itself is verified, over its raw bytes, as its channel's type demands. It is on disk before it is
/// answered. A repeated delivery of the same event is answered like the first and kept once. Handshakes are answered as
/// the third party's protocol demands. Whatever is not taken is answered alike, whether the channel is unknown,
/// disabled, or refuses the request.
#[utoipa::path(
    tag = "Channels and webhooks",
    params(WebhookPath),
    request_body(content = Vec<u8>, content_type = "*/*", description = "Whatever the third party sends."),
    responses(
        (status = 200, description = "It is kept, or a handshake is answered.", body = Received),
        (status = 201, description = "The same, where the third party wants this status.", body = Received),
        (status = 202, description = "The same, where the third party wants this status.", body = Received),
        (status = 204, description = "The same, where the third party wants this status."),
        (status = 401, description = "`webhook_refused`, where the third party's protocol wants this status.",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`webhook_refused`, where the third party's protocol wants this status.",
            body = ProblemBody, content_type = "application/problem+json"),
        PublicProblems,
    ),
)]
#[post("/api/webhooks/{channelId}")]
async fn receive_webhook(api: Data<Api>, request: HttpRequest, payload: web::Payload) -> Result<HttpResponse, Problem> {
    handle(&api, &request, HandshakeMethod::Post, payload.into_inner()).await
}

/// Answer a handshake
///
/// Some third parties ask with a `GET` whether a URL is theirs to post to. A channel of such a type answers as they
/// demand; every other request is refused.
#[utoipa::path(
    tag = "Channels and webhooks",
    params(WebhookPath),
    responses(
        (status = 200, description = "The handshake's answer.", body = String, content_type = "text/plain"),
        (status = 400, description = "`webhook_refused`.",
            body = ProblemBody, content_type = "application/problem+json"),
        PublicProblems,
    ),
)]
#[get("/api/webhooks/{channelId}")]
async fn answer_handshake(api: Data<Api>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let by_head = request.extensions().contains::<AskedByHead>();
    let method = if by_head { HandshakeMethod::Head } else { HandshakeMethod::Get };
    handle(&api, &request, method, Payload::None).await
}

async fn handle(
    api: &Api,
    request: &HttpRequest,
    method: HandshakeMethod,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let metrics = &api.ports.webhook_metrics;
    let Some(id) = WebhookPath::of(request).id else {
        metrics.refused("no_channel");
        return Err(refused(StatusCode::BAD_REQUEST));
    };
    if let Err(Overrun { retry_after }) = api.ports.receiver.admit(id) {
        metrics.refused("rate");
        let detail = "too many webhooks; slow down";
        return Err(Problem::new(ErrorCode::TooManyRequests, detail).after(retry_after));
    }
    let receipt = take(api, request, method, payload, id).await.inspect_err(|problem| {
        metrics.refused(problem.code().as_str());
    })?;
    match receipt {
        Receipt::Accepted { status, kind, duplicate } => {
            metrics.accepted(&kind, duplicate);
            accepted(status)
        }
        Receipt::Answered(reply) => {
            metrics.answered();
            replied(reply)
        }
        Receipt::Refused { status, reason } => {
            metrics.refused(reason);
            Err(refused(StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST)))
        }
    }
}

async fn take(
    api: &Api,
    request: &HttpRequest,
    method: HandshakeMethod,
    payload: Payload,
    id: ChannelId,
) -> Result<Receipt, Problem> {
    let usual = usize::try_from(DEFAULT_MAX_BODY).unwrap_or(usize::MAX);
    let channel = find(api, id).await?;
    let channel = channel.as_deref();
    let limit = channel.map_or(usual, |channel| channel.max_body().max(usual));
    let limits = &api.ports.limits;
    let (body, _share) = webhook_body::read(request.headers(), payload, limit, &api.held, limits).await?;
    let is_large = body.len() > usual;
    let receipt = receive(api, request, method, channel, body).await?;
    // Nobody learns from the size of what is refused which types of channels there are.
    if is_large && matches!(receipt, Receipt::Refused { .. }) { Err(too_large()) } else { Ok(receipt) }
}

async fn receive(
    api: &Api,
    request: &HttpRequest,
    method: HandshakeMethod,
    channel: Option<&OpenChannel>,
    body: Bytes,
) -> Result<Receipt, Problem> {
    let headers = request.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    let headers: InboundHeaders<'_> = headers.collect();
    let inbound = Inbound { method, query: request.query_string(), headers: &headers, body };
    api.ports.receiver.receive(channel, inbound).await.map_err(|error| match error {
        ReceiveError::Busy => busy(),
        ReceiveError::Unavailable(source) => source.into(),
    })
}

/// Looks the channel up, and again for a while if the store does not answer: senders often ask once.
async fn find(api: &Api, id: ChannelId) -> Result<Option<Arc<OpenChannel>>, Problem> {
    let deadline = tokio::time::Instant::now() + api.ports.limits.webhook_patience;
    loop {
        let lookup = tokio::time::timeout_at(deadline, api.ports.receiver.find(id)).await;
        match lookup.unwrap_or_else(|_| Err(Unavailable::transient("the channel was not found in time"))) {
            Err(error) if error.is_retryable() && tokio::time::Instant::now() + PAUSE < deadline => {
                tokio::time::sleep(PAUSE).await;
            }
            ended => return Ok(ended?),
        }
    }
}

fn accepted(status: u16) -> Result<HttpResponse, Problem> {
    let status = StatusCode::from_u16(status).map_err(Problem::fault)?;
    if status == StatusCode::NO_CONTENT {
        return Ok(HttpResponse::new(status));
    }
    answer::json(status, &Received { received: true })
}

fn replied(reply: Reply) -> Result<HttpResponse, Problem> {
    let status = StatusCode::from_u16(reply.status).map_err(Problem::fault)?;
    let mut response: HttpResponse<BoxBody> = HttpResponse::build(status).body(reply.body);
    if let Some(kind) = reply.content_type {
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    } else {
        response.headers_mut().remove(CONTENT_TYPE);
    }
    if let Some((name, value)) = reply.header {
        let name = HeaderName::try_from(name).map_err(Problem::fault)?;
        let mut value = HeaderValue::from_str(value.expose()).map_err(|_| Problem::fault("a reply's header"))?;
        value.set_sensitive(true);
        response.headers_mut().insert(name, value);
    }
    Ok(response)
}

/// One answer for every reason, so that it helps nobody to guess.
fn refused(status: StatusCode) -> Problem {
    if status == StatusCode::PAYLOAD_TOO_LARGE {
        return too_large();
    }
    Problem::new(ErrorCode::WebhookRefused, "the request was not accepted").with_status(status)
}
