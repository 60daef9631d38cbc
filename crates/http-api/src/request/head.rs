//! What a request's path names.

use std::str::FromStr;

use actix_web::HttpRequest;
use nora_kernel::{AgentId, ApiKeyId, ChannelId, EventId, IntegrationId};

use crate::problem::{ErrorCode, Problem};

/// Something that is read from a request's path or query, once its sender is known.
pub(crate) trait FromHead: Sized + 'static {
    fn from_head(request: &HttpRequest) -> Result<Self, Problem>;
}

impl FromHead for () {
    fn from_head(_: &HttpRequest) -> Result<Self, Problem> {
        Ok(())
    }
}

impl<A: FromHead, B: FromHead> FromHead for (A, B) {
    fn from_head(request: &HttpRequest) -> Result<Self, Problem> {
        Ok((A::from_head(request)?, B::from_head(request)?))
    }
}

/// An agent.
#[derive(Debug, Clone, Copy, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct AgentPath {
    /// The agent's id.
    #[param(value_type = uuid::Uuid, example = "a1b2c3d4-e5f6-7890-abcd-ef1234567890")]
    pub(crate) id: AgentId,
}

impl FromHead for AgentPath {
    fn from_head(request: &HttpRequest) -> Result<Self, Problem> {
        Ok(Self { id: segment(request, "id").ok_or_else(agent_not_found)? })
    }
}

/// One integration of an agent.
#[derive(Debug, Clone, Copy, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct IntegrationPath {
    /// The agent's id.
    #[param(value_type = uuid::Uuid, example = "a1b2c3d4-e5f6-7890-abcd-ef1234567890")]
    pub(crate) id: AgentId,
    /// The integration's id.
    #[param(value_type = uuid::Uuid, example = "c3d4e5f6-a7b8-9012-cdef-234567890123")]
    pub(crate) iid: IntegrationId,
}

impl FromHead for IntegrationPath {
    fn from_head(request: &HttpRequest) -> Result<Self, Problem> {
        let ids = segment(request, "id").zip(segment(request, "iid"));
        ids.map(|(id, iid)| Self { id, iid }).ok_or_else(integration_not_found)
    }
}

/// One webhook channel of an agent.
#[derive(Debug, Clone, Copy, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct ChannelPath {
    /// The agent's id.
    #[param(value_type = uuid::Uuid, example = "a1b2c3d4-e5f6-7890-abcd-ef1234567890")]
    pub(crate) id: AgentId,
    /// The channel's id.
    #[param(value_type = uuid::Uuid, example = "d5e6f7a8-b9c0-1234-defa-123456789012")]
    pub(crate) cid: ChannelId,
}

impl FromHead for ChannelPath {
    fn from_head(request: &HttpRequest) -> Result<Self, Problem> {
        let ids = segment(request, "id").zip(segment(request, "cid"));
        ids.map(|(id, cid)| Self { id, cid }).ok_or_else(channel_not_found)
    }
}

/// One event of a webhook channel.
#[derive(Debug, Clone, Copy, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct EventPath {
    /// The agent's id.
    #[param(value_type = uuid::Uuid, example = "a1b2c3d4-e5f6-7890-abcd-ef1234567890")]
    pub(crate) id: AgentId,
    /// The channel's id.
    #[param(value_type = uuid::Uuid, example = "d5e6f7a8-b9c0-1234-defa-123456789012")]
    pub(crate) cid: ChannelId,
    /// The event's id.
    #[param(value_type = uuid::Uuid, example = "0198f0c4-5a1e-7cc3-98c4-dc0c0c07398f")]
    pub(crate) eid: EventId,
}

impl FromHead for EventPath {
    fn from_head(request: &HttpRequest) -> Result<Self, Problem> {
        let ids = segment(request, "id").zip(segment(request, "cid")).zip(segment(request, "eid"));
        ids.map(|((id, cid), eid)| Self { id, cid, eid }).ok_or_else(event_not_found)
    }
}

/// A channel's public URL. An id that is none is as good as one that nothing has.
#[derive(Debug, Clone, Copy, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct WebhookPath {
    /// The channel's id.
    #[param(rename = "channelId", value_type = uuid::Uuid, example = "d5e6f7a8-b9c0-1234-defa-123456789012")]
    pub(crate) id: Option<ChannelId>,
}

impl WebhookPath {
    pub(crate) fn of(request: &HttpRequest) -> Self {
        Self { id: segment(request, "channelId") }
    }
}

/// An API key's record.
#[derive(Debug, Clone, Copy, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct KeyPath {
    /// The id of the key's record.
    #[param(value_type = uuid::Uuid, example = "0198f0c4-5a1e-7cc3-98c4-dc0c0c07398f")]
    pub(crate) id: ApiKeyId,
}

impl FromHead for KeyPath {
    fn from_head(request: &HttpRequest) -> Result<Self, Problem> {
        Ok(Self { id: segment(request, "id").ok_or_else(key_not_found)? })
    }
}

/// An entry of the catalog.
#[derive(Debug, Clone, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct CatalogItemPath {
    /// The entry's id.
    #[param(rename = "catalogId", example = "slack")]
    pub(crate) id: String,
}

impl FromHead for CatalogItemPath {
    fn from_head(request: &HttpRequest) -> Result<Self, Problem> {
        Ok(Self { id: request.match_info().get("catalogId").unwrap_or_default().to_owned() })
    }
}

fn segment<T: FromStr>(request: &HttpRequest, name: &str) -> Option<T> {
    request.match_info().get(name)?.parse().ok()
}

/// The same for an id that is none, that nothing has, and that somebody else's agent has.
pub(crate) fn agent_not_found() -> Problem {
    Problem::new(ErrorCode::AgentNotFound, "there is no such agent")
}

/// The same whether the agent or its integration is missing or somebody else's.
pub(crate) fn integration_not_found() -> Problem {
    Problem::new(ErrorCode::IntegrationNotFound, "there is no such integration")
}

/// The same whether the agent or its channel is missing or somebody else's.
pub(crate) fn channel_not_found() -> Problem {
    Problem::new(ErrorCode::ChannelNotFound, "there is no such channel")
}

/// The same whether the agent, its channel or the event is missing or somebody else's.
pub(crate) fn event_not_found() -> Problem {
    Problem::new(ErrorCode::EventNotFound, "there is no such event")
}

pub(crate) fn key_not_found() -> Problem {
    Problem::new(ErrorCode::KeyNotFound, "there is no such key")
}
