//! What came in by a channel, and asking for it once more.

mod view;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, get, post};
use nora_kernel::Timestamp;
use nora_webhooks::EventState;
use nora_webhooks::ports::{EventFilter, ReplayRange};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::answer;
use crate::auth::Authorized;
use crate::auth::scope::{ChannelsRead, ChannelsWrite};
use crate::problem::Problem;
use crate::request::{Body, ChannelPath, EventPath, FromHead, FromMembers, Members, PageQuery, Query, paged};
use crate::wire::EventStateWord;
use view::{EventDetailView, EventView};

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list_events).service(get_event).service(replay_event).service(replay_events);
}

/// Which events are wanted.
#[derive(Debug, Clone, Copy, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct StateQuery {
    /// Only events that have come this far.
    #[param(value_type = Option<EventStateWord>)]
    state: Option<EventState>,
}

/// An event's state as a request spells it.
struct Spelled(EventState);

impl std::str::FromStr for Spelled {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        EventState::from_wire(text).map(Self).ok_or("must be pending, delivered or dead")
    }
}

impl FromHead for StateQuery {
    fn from_head(request: &HttpRequest) -> Result<Self, Problem> {
        let state = Query::of(request).parsed("state")?.map(|Spelled(state)| state);
        Ok(Self { state })
    }
}

/// How many events will be delivered once more.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Replayed)]
struct Replayed {
    /// How many.
    #[schema(example = 1)]
    count: u64,
}

/// Which events are replayed. What is left out bounds nothing.
#[derive(Debug, ToSchema)]
#[schema(as = ReplayRange, example = json!({ "state": "dead", "from": "2026-11-23T00:00:00Z" }))]
struct ReplayBody {
    /// Only events that have come this far.
    #[schema(value_type = Option<EventStateWord>)]
    state: Option<EventState>,
    /// Only events received at this time or later.
    #[schema(value_type = Option<crate::wire::Time>)]
    from: Option<Timestamp>,
    /// Only events received before this time.
    #[schema(value_type = Option<crate::wire::Time>)]
    to: Option<Timestamp>,
}

impl FromMembers for ReplayBody {
    fn from_members(members: &mut Members) -> Option<Self> {
        let state = members.parsed("state").map(|Spelled(state)| state);
        Some(Self { state, from: members.parsed("from"), to: members.parsed("to") })
    }
}

/// List a channel's events
///
/// What came in by the channel, newest first, and how far it has come.
#[utoipa::path(
    tag = "Channels and webhooks",
    params(ChannelPath, StateQuery, PageQuery),
    security(("bearer" = ["channels:read"])),
    responses((status = 200, description = "One page.", body = [EventView],
        headers(("Link" = String, description = "Where the next page is (`rel=\"next\"`), if there is one.")))),
)]
#[get("/api/agents/{id}/channels/{cid}/events")]
async fn list_events(
    call: Authorized<ChannelsRead, (ChannelPath, (StateQuery, PageQuery))>,
) -> Result<HttpResponse, Problem> {
    let (ChannelPath { id, cid }, (StateQuery { state }, page)) = call.head;
    let channels = &call.api.ports.channels;
    let events = channels.list_events(&call.caller, id, cid, EventFilter { state }, page.request()).await?;
    let mut path = format!("/api/agents/{id}/channels/{cid}/events");
    if let Some(state) = state {
        path = format!("{path}?state={}", state.as_str());
    }
    paged(&path, &page, events, |event| EventView::of(&event))
}

/// Get an event
///
/// With its headers, secrets masked, and its body as it was received.
#[utoipa::path(
    tag = "Channels and webhooks",
    params(EventPath),
    security(("bearer" = ["channels:read"])),
    responses((status = 200, description = "The event.", body = EventDetailView)),
)]
#[get("/api/agents/{id}/channels/{cid}/events/{eid}")]
async fn get_event(call: Authorized<ChannelsRead, EventPath>) -> Result<HttpResponse, Problem> {
    let EventPath { id, cid, eid } = call.head;
    let event = call.api.ports.channels.find_event(&call.caller, id, cid, eid).await?;
    answer::ok(&EventDetailView::of(&event))
}

/// Replay an event
///
/// Delivers it once more, with the same id, labelled a replay, behind what waits in its lane. It is verified again under
/// today's secrets, with the time it came as now.
#[utoipa::path(
    tag = "Channels and webhooks",
    params(EventPath),
    security(("bearer" = ["channels:write"])),
    responses((status = 202, description = "It will be delivered.", body = Replayed)),
)]
#[post("/api/agents/{id}/channels/{cid}/events/{eid}/replay")]
async fn replay_event(call: Authorized<ChannelsWrite, EventPath>) -> Result<HttpResponse, Problem> {
    let EventPath { id, cid, eid } = call.head;
    call.api.ports.channels.replay(&call.caller, id, cid, eid).await?;
    answer::json(StatusCode::ACCEPTED, &Replayed { count: 1 })
}

/// Replay a range of events
///
/// The same for a channel's events in a range, oldest first: 10,000 at most. `count` says how many.
#[utoipa::path(
    tag = "Channels and webhooks",
    params(ChannelPath),
    request_body = ReplayBody,
    security(("bearer" = ["channels:write"])),
    responses((status = 202, description = "They will be delivered.", body = Replayed)),
)]
#[post("/api/agents/{id}/channels/{cid}/replays")]
async fn replay_events(call: Authorized<ChannelsWrite, ChannelPath>, body: Body) -> Result<HttpResponse, Problem> {
    let ReplayBody { state, from, to } = body.read(&call.api.ports.limits).await?.parse()?;
    let ChannelPath { id, cid } = call.head;
    let range = ReplayRange { state, from, to };
    let count = call.api.ports.channels.replay_range(&call.caller, id, cid, range).await?;
    answer::json(StatusCode::ACCEPTED, &Replayed { count })
}
