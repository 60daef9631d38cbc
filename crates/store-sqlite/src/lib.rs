#![doc = include_str!("../README.md")]

mod agents;
mod audit;
mod channels;
mod connection;
mod custody;
mod deliveries;
mod events;
mod failure;
mod file;
mod hub;
mod idempotency;
mod inbox;
mod integrations;
mod keys;
mod lanes;
mod mcp;
mod migrations;
mod page;
mod reach;
mod readiness;
mod schema;
mod shapes;
mod statement;
mod store;
mod sync;
mod targets;
mod value;
mod writer;

pub use migrations::MigrateError;
pub use store::{OpenError, Options, SqliteStore};
