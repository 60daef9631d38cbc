#![doc = include_str!("../README.md")]

mod address;
mod agents;
mod audit;
mod channels;
mod checks;
mod connector;
mod contention;
mod custody;
mod deliveries;
mod error;
mod events;
mod idempotency;
mod inbox;
mod integrations;
mod keys;
mod listener;
mod mcp;
mod migrations;
mod options;
mod pages;
mod readiness;
mod rows;
mod schema;
mod servers;
mod shapes;
mod signals;
mod statement;
mod store;
mod sync;
mod targets;
mod tls;

pub use checks::StartWarning;
pub use error::{ConnectError, MigrateError};
pub use options::PostgresOptions;
pub use store::PostgresStore;
