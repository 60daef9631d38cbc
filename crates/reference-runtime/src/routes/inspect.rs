//! What people and tests may look at.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Map, Value, json};

use super::answer::{unauthorized, with_faults};
use super::{Bearer, Shared};
use crate::faults::Route;
use crate::state::Known;
use crate::{AppliedPush, digest};

/// `GET /health`. A token that is sent is checked, though none is needed.
pub(super) async fn health(shared: Data<Shared>, request: HttpRequest) -> HttpResponse {
    let serve = async {
        match shared.bearer(&request) {
            Bearer::Absent => HttpResponse::Ok().json(json!({ "status": "ok" })),
            Bearer::Wrong => unauthorized(),
            Bearer::Right => {
                let known = shared.handle.state.known();
                let agent = known.push.as_ref().map(|push| push.agent().to_string());
                let generation = known.push.as_ref().map(AppliedPush::generation);
                HttpResponse::Ok().json(json!({ "status": "ok", "agent_id": agent, "generation": generation }))
            }
        }
    };
    with_faults(&shared, Route::Health, serve).await
}

/// `GET /env`: names and digests, never values.
pub(super) async fn env(shared: Data<Shared>, request: HttpRequest) -> HttpResponse {
    shown(&shared, &request, |known| {
        let variables = known.push.iter().flat_map(AppliedPush::env);
        let digests: Map<String, Value> =
            variables.map(|(name, value)| (name.to_string(), digest::of_secret(value).into())).collect();
        json!({ "generation": known.push.as_ref().map(AppliedPush::generation), "env": digests })
    })
}

/// `GET /integrations`.
pub(super) async fn integrations(shared: Data<Shared>, request: HttpRequest) -> HttpResponse {
    shown(&shared, &request, |known| {
        let integrations: Vec<&Value> = known.push.iter().flat_map(AppliedPush::integrations).collect();
        json!({
            "generation": known.push.as_ref().map(AppliedPush::generation),
            "integrations": integrations,
        })
    })
}

/// `GET /events`.
pub(super) async fn events(shared: Data<Shared>, request: HttpRequest) -> HttpResponse {
    shown(&shared, &request, |known| {
        let deliveries: Vec<Value> = known.inbox.events().into_iter().map(|event| event.delivery).collect();
        json!({ "events": deliveries })
    })
}

/// `GET /mcp`: the servers of the last deployment, without anything they were given.
pub(super) async fn mcp(shared: Data<Shared>, request: HttpRequest) -> HttpResponse {
    match shared.bearer(&request) {
        Bearer::Right => HttpResponse::Ok().json(shared.handle.mcp()),
        Bearer::Absent | Bearer::Wrong => unauthorized(),
    }
}

fn shown(shared: &Shared, request: &HttpRequest, view: impl FnOnce(&Known) -> Value) -> HttpResponse {
    match shared.bearer(request) {
        Bearer::Right => HttpResponse::Ok().json(view(&shared.handle.state.known())),
        Bearer::Absent | Bearer::Wrong => unauthorized(),
    }
}
