//! Reading requests, strictly.

mod body;
mod head;
mod json;
mod members;
mod page;
mod query;
mod wipe;

pub(crate) use body::{Body, RawBody, announced_length, is_identity};
pub(crate) use head::{
    AgentPath, CatalogItemPath, ChannelPath, EventPath, FromHead, IntegrationPath, KeyPath, WebhookPath,
    agent_not_found, channel_not_found, event_not_found, integration_not_found, key_not_found,
};
pub(crate) use members::{FromMembers, Members};
pub(crate) use page::{PageQuery, paged};
pub(crate) use query::Query;
