//! The routes, one module for each resource.

mod agent_sync;
mod agents;
mod audit;
mod catalog;
mod channel_events;
mod channel_types;
mod channels;
mod deployment;
mod docs;
mod health;
mod integration_tests;
mod integrations;
mod keys;
mod mcp_servers;
mod webhooks;

pub(crate) use docs::Documents;
use utoipa_actix_web::service_config::ServiceConfig;

/// Every route. The busiest come first: they are matched in this order.
pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config
        .configure(webhooks::routes)
        .configure(catalog::routes)
        .configure(integration_tests::routes)
        .configure(integrations::routes)
        .configure(agents::routes)
        .configure(agent_sync::routes)
        .configure(channel_types::routes)
        .configure(channels::routes)
        .configure(channel_events::routes)
        .configure(mcp_servers::routes)
        .configure(deployment::routes)
        .configure(keys::routes)
        .configure(audit::routes)
        .configure(health::routes)
        .configure(docs::routes);
}
