//! Webhook channels of agents.

mod bodies;
mod problems;
mod view;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, delete, get, patch, post};
use nora_kernel::StoredAnswer;
use nora_webhooks::{Channel, PublicUrl, SecretInfo};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::answer::{self, Success};
use crate::auth::Authorized;
use crate::auth::scope::{ChannelsRead, ChannelsWrite};
use crate::idempotency::{self, Begun, KeyHeader};
use crate::problem::Problem;
use crate::request::{AgentPath, Body, ChannelPath, agent_not_found};
use bodies::{AddSecretBody, ChangeChannelBody, CreateChannelBody};
use view::{ChannelView, SecretsView};

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list_channels)
        .service(create_channel)
        .service(get_channel)
        .service(change_channel)
        .service(remove_channel)
        .service(add_channel_secret);
}

/// List an agent's channels
///
/// Newest first, without their secrets.
#[utoipa::path(
    tag = "Channels and webhooks",
    params(AgentPath),
    security(("bearer" = ["channels:read"])),
    responses((status = 200, description = "Every channel.", body = [ChannelView])),
)]
#[get("/api/agents/{id}/channels")]
async fn list_channels(call: Authorized<ChannelsRead, AgentPath>) -> Result<HttpResponse, Problem> {
    let channels = &call.api.ports.channels;
    let found = channels.list(&call.caller, call.head.id).await?.ok_or_else(agent_not_found)?;
    answer::ok(&found.iter().map(|channel| ChannelView::of(channel, &channels.url)).collect::<Vec<_>>())
}

/// Make a channel
///
/// A public URL for one third party. It verifies what comes in with `config.signing_secret` (`config.public_key` where
/// the key is public), which is kept in the vault and never shown. Without one no channel is made, unless
/// `verification` says `none`, or `handshake` for a type whose secret comes in its handshake: such a channel takes
/// exactly one, within an hour.
#[utoipa::path(
    tag = "Channels and webhooks",
    params(AgentPath,
        ("Idempotency-Key" = Option<String>, Header, description = "Makes the request safe to repeat for 24 hours.")),
    request_body = CreateChannelBody,
    security(("bearer" = ["channels:write"])),
    responses(
        (status = 201, description = "The channel.", body = ChannelView,
            headers(
                ("Location" = String, description = "The channel's path."),
                ("Idempotency-Replayed" = String, description = "`true` if this is the answer of an earlier request."),
            )),
        (status = 409, description = "`runtime_cannot_receive`, `idempotency_mismatch` or `idempotency_in_progress`.",
            body = crate::problem::ProblemBody, content_type = "application/problem+json"),
    ),
)]
#[post("/api/agents/{id}/channels")]
async fn create_channel(
    call: Authorized<ChannelsWrite, (AgentPath, KeyHeader)>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let Authorized { caller, head: (AgentPath { id: agent }, key), api, .. } = call;
    let body = body.read(&api.ports.limits).await?;
    let route = format!("POST /api/agents/{agent}/channels");
    let attempt = match idempotency::begin(&api, &caller, key, route, &body).await? {
        Begun::Fresh(attempt) => attempt,
        Begun::Replayed(answer) => return Ok(answer),
    };
    let answer: fn(&Channel, &PublicUrl) -> StoredAnswer = created;
    let mut request = body.parse::<CreateChannelBody>()?.into_request(agent);
    request.idempotency = attempt.request().map(|request| (request, answer));
    let channels = &api.ports.channels;
    match channels.create(&caller, request).await {
        Ok(channel) => answer::stored(created(&channel, &channels.url)),
        Err(error) => attempt.refused(&api, error.into()).await,
    }
}

/// The answer to a new channel, now or when the request is repeated.
fn created(channel: &Channel, url: &PublicUrl) -> StoredAnswer {
    StoredAnswer {
        status: StatusCode::CREATED.as_u16(),
        location: Some(format!("/api/agents/{}/channels/{}", channel.agent, channel.id)),
        body: answer::text(&ChannelView::of(channel, url)),
    }
}

/// Get a channel
///
/// Its configuration without its secrets, and the URL to give to the third party.
#[utoipa::path(
    tag = "Channels and webhooks",
    params(ChannelPath),
    security(("bearer" = ["channels:read"])),
    responses((status = 200, description = "The channel.", body = ChannelView)),
)]
#[get("/api/agents/{id}/channels/{cid}")]
async fn get_channel(call: Authorized<ChannelsRead, ChannelPath>) -> Result<HttpResponse, Problem> {
    let ChannelPath { id, cid } = call.head;
    let channels = &call.api.ports.channels;
    answer::ok(&ChannelView::of(&channels.find(&call.caller, id, cid).await?, &channels.url))
}

/// Change a channel
///
/// What is left out stays. `config` is a merge patch (RFC 7396); a new secret in it replaces the old ones at once. A
/// disabled channel answers like one that does not exist; a paused one keeps what comes in and delivers it later.
#[utoipa::path(
    tag = "Channels and webhooks",
    params(ChannelPath),
    request_body = ChangeChannelBody,
    security(("bearer" = ["channels:write"])),
    responses(
        (status = 200, description = "The channel.", body = ChannelView),
        (status = 409, description = "`change_conflict`.",
            body = crate::problem::ProblemBody, content_type = "application/problem+json"),
    ),
)]
#[patch("/api/agents/{id}/channels/{cid}")]
async fn change_channel(call: Authorized<ChannelsWrite, ChannelPath>, body: Body) -> Result<HttpResponse, Problem> {
    let body: ChangeChannelBody = body.read(&call.api.ports.limits).await?.parse()?;
    let ChannelPath { id, cid } = call.head;
    let channels = &call.api.ports.channels;
    let changed = channels.change(&call.caller, id, cid, body.into_request()).await?;
    answer::ok(&ChannelView::of(&changed, &channels.url))
}

/// Remove a channel
///
/// Its URL answers like one that never was, and its events are gone.
#[utoipa::path(
    tag = "Channels and webhooks",
    params(ChannelPath),
    security(("bearer" = ["channels:write"])),
    responses((status = 200, description = "It is removed.", body = Success)),
)]
#[delete("/api/agents/{id}/channels/{cid}")]
async fn remove_channel(call: Authorized<ChannelsWrite, ChannelPath>) -> Result<HttpResponse, Problem> {
    let ChannelPath { id, cid } = call.head;
    call.api.ports.channels.remove(&call.caller, id, cid).await?;
    answer::success()
}

/// Add a secret
///
/// The new secret verifies at once; the old ones go on for `expires_in` more seconds, so that nothing is refused while
/// the third party is told.
#[utoipa::path(
    tag = "Channels and webhooks",
    params(ChannelPath,
        ("Idempotency-Key" = Option<String>, Header, description = "Makes the request safe to repeat for 24 hours.")),
    request_body = AddSecretBody,
    security(("bearer" = ["channels:write"])),
    responses(
        (status = 201, description = "The secrets that verify now, newest first.", body = SecretsView,
            headers(("Idempotency-Replayed" = String,
                description = "`true` if this is the answer of an earlier request."))),
        (status = 409, description = "`secrets_full`, `change_conflict`, `idempotency_mismatch` or \
            `idempotency_in_progress`.", body = crate::problem::ProblemBody, content_type = "application/problem+json"),
    ),
)]
#[post("/api/agents/{id}/channels/{cid}/secrets")]
async fn add_channel_secret(
    call: Authorized<ChannelsWrite, (ChannelPath, KeyHeader)>,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let Authorized { caller, head: (ChannelPath { id, cid }, key), api, .. } = call;
    let body = body.read(&api.ports.limits).await?;
    let route = format!("POST /api/agents/{id}/channels/{cid}/secrets");
    let attempt = match idempotency::begin(&api, &caller, key, route, &body).await? {
        Begun::Fresh(attempt) => attempt,
        Begun::Replayed(answer) => return Ok(answer),
    };
    let answer: fn(&[SecretInfo]) -> StoredAnswer = added;
    let mut request = body.parse::<AddSecretBody>()?.into_request();
    request.idempotency = attempt.request().map(|request| (request, answer));
    match api.ports.channels.add_secret(&caller, id, cid, request).await {
        Ok(secrets) => answer::stored(added(&secrets)),
        Err(error) => attempt.refused(&api, error.into()).await,
    }
}

fn added(secrets: &[SecretInfo]) -> StoredAnswer {
    let body = answer::text(&SecretsView::of(secrets));
    StoredAnswer { status: StatusCode::CREATED.as_u16(), location: None, body }
}
