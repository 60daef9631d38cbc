//! What the service sends.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::json;

use super::answer::{refused, unauthorized, with_faults};
use super::{Bearer, Shared, body};
use crate::faults::Route;
use crate::state::ApplyError;
use crate::{AppliedPush, Deployment, Event};

/// `POST /integrations/sync`.
pub(super) async fn sync(shared: Data<Shared>, request: HttpRequest, payload: Payload) -> HttpResponse {
    guarded(&shared, Route::Sync, &request, payload, |body| apply(&shared, body)).await
}

/// `POST /channels/receive`.
pub(super) async fn receive(shared: Data<Shared>, request: HttpRequest, payload: Payload) -> HttpResponse {
    let serve = |body: &[u8]| match Event::parse(body) {
        Some(event) => {
            shared.handle.state.take(event);
            HttpResponse::Ok().json(json!({ "received": true }))
        }
        None => refused(StatusCode::BAD_REQUEST, "the body is not an event with an eventId"),
    };
    guarded(&shared, Route::Events, &request, payload, serve).await
}

/// `POST /deployment`.
pub(super) async fn deploy(shared: Data<Shared>, request: HttpRequest, payload: Payload) -> HttpResponse {
    let serve = |body: &[u8]| match Deployment::parse(body) {
        Some(deployment) => {
            let answer = json!({ "applied": true, "digest": deployment.digest });
            match shared.handle.deploy(deployment) {
                Ok(()) => HttpResponse::Ok().json(answer),
                Err(error) => not_kept(&error, "a deployment was not applied"),
            }
        }
        None => refused(StatusCode::BAD_REQUEST, "the body is not a deployment whose digest matches"),
    };
    guarded(&shared, Route::Deployment, &request, payload, serve).await
}

/// Serves who holds the token. Nobody else's body is read.
async fn guarded(
    shared: &Shared,
    route: Route,
    request: &HttpRequest,
    payload: Payload,
    serve: impl FnOnce(&[u8]) -> HttpResponse,
) -> HttpResponse {
    let body = match shared.bearer(request) {
        Bearer::Right => body::read(payload).await,
        Bearer::Absent | Bearer::Wrong => Err(unauthorized()),
    };
    with_faults(shared, route, async { body.map_or_else(|answer| answer, |body| serve(&body)) }).await
}

fn apply(shared: &Shared, body: &[u8]) -> HttpResponse {
    let push = match AppliedPush::parse(body) {
        Ok(push) => push,
        Err(refusal) => return refused(StatusCode::BAD_REQUEST, &refusal.to_string()),
    };
    let answer = json!({ "synced": true, "count": push.integrations().len(), "generation": push.generation() });
    match shared.handle.state.apply(push) {
        Ok(()) => HttpResponse::Ok().json(answer),
        Err(ApplyError::Superseded(generation)) => HttpResponse::Conflict().json(json!({ "generation": generation })),
        Err(ApplyError::NotKept(error)) => not_kept(&error, "a push was not applied"),
    }
}

fn not_kept(error: &(dyn std::error::Error + 'static), what: &'static str) -> HttpResponse {
    tracing::error!(error, "{what}");
    refused(StatusCode::INTERNAL_SERVER_ERROR, "the state could not be kept")
}
