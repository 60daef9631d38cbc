//! The whole application as clients see it: real use cases over stores that are plain maps.

#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test fails by panicking")]

mod agent_sync;
mod agents;
mod audit;
mod authorisation;
mod bodies;
mod catalog;
mod channel_events;
mod channels;
mod docs;
mod edge;
mod framing;
mod health;
mod idempotency;
mod integration_tests;
mod integrations;
mod keys;
mod mcp_servers;
mod metrics;
mod openapi;
mod paging;
mod problems;
mod routes;
mod secrecy;
mod support;
mod tokens;
mod webhooks;
