//! Reading requests, strictly.

mod body;
mod head;
mod json;
mod members;
mod page;
mod query;
mod wipe;

pub(crate) use body::{Body, RawBody};
pub(crate) use head::{
    AgentPath, CatalogItemPath, FromHead, IntegrationPath, KeyPath, agent_not_found, integration_not_found,
    key_not_found,
};
pub(crate) use members::{FromMembers, Members};
pub(crate) use page::{PageQuery, paged};
pub(crate) use query::Query;
