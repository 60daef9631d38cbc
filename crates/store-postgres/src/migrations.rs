//! Bringing the schema up to date.

use std::collections::BTreeSet;
use std::time::Duration;

use diesel::connection::SimpleConnection as _;
use diesel::migration::MigrationSource;
use diesel::pg::Pg;
use diesel_async::AsyncPgConnection;
use diesel_async::async_connection_wrapper::AsyncConnectionWrapper;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness as _, embed_migrations};
use nora_kernel::BoxError;
use tokio::time::timeout;

use crate::error::MigrateError;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations/postgres");

/// One server migrates at a time. Whoever waits holds no other lock, so it may wait without a limit of the server's;
/// a step that waits gives up soon, because everybody else queues behind it.
const LOCK: &str = "SELECT pg_advisory_lock(7954323466731041); SET lock_timeout = '10s'";

/// How long all of it may take, the wait for another server included.
const PATIENCE: Duration = Duration::from_mins(10);

/// Runs what is missing. The lock ends with the connection.
pub(crate) async fn run(connection: AsyncPgConnection) -> Result<(), MigrateError> {
    // Diesel's harness blocks, so it gets a thread of its own.
    let running = tokio::task::spawn_blocking(move || run_blocking(connection.into()));
    let ended = timeout(PATIENCE, running).await.map_err(|late| MigrateError::Failed(late.into()))?;
    ended.map_err(|stopped| MigrateError::Failed(stopped.into()))?
}

fn run_blocking(mut connection: AsyncConnectionWrapper<AsyncPgConnection>) -> Result<(), MigrateError> {
    connection.batch_execute(LOCK).map_err(|error| MigrateError::Failed(error.into()))?;
    let applied = connection.applied_migrations().map_err(MigrateError::Failed)?;
    let known = known().map_err(MigrateError::Failed)?;
    let unknown = applied.iter().map(ToString::to_string).find(|version| !known.contains(version));
    if let Some(version) = unknown {
        return Err(MigrateError::NewerSchema(version));
    }
    connection.run_pending_migrations(MIGRATIONS).map(drop).map_err(MigrateError::Failed)
}

/// The versions this release knows.
pub(crate) fn known() -> Result<BTreeSet<String>, BoxError> {
    let migrations = MigrationSource::<Pg>::migrations(&MIGRATIONS)?;
    Ok(migrations.iter().map(|migration| migration.name().version().to_string()).collect())
}
