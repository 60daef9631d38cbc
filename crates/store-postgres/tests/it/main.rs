//! The store on a real PostgreSQL cluster.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod connect;
mod contract;
mod fixture;
mod listening;
mod migrations;
mod plans;
mod sessions;
mod sharing;
mod statements;
mod storm;
mod takeover;
mod tls;
mod webhook_plans;
