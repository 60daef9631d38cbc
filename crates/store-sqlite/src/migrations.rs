//! Bringing the schema to the state this binary needs.

use diesel::connection::Connection as _;
use diesel::migration::MigrationSource;
use diesel::sqlite::Sqlite;
use diesel::{ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _, SqliteConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness as _, embed_migrations};
use nora_kernel::{BoxError, Unavailable};

use crate::SqliteStore;
use crate::failure::{Abort, Ending};
use crate::schema::__diesel_schema_migrations as applied;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations/sqlite");

/// Why the schema is not in the state this binary needs.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// A newer binary has migrated the database. An older one would not understand what it finds.
    #[error("the database was migrated by a newer version of this program (migration {0})")]
    Newer(String),
    /// A migration failed. Nothing was changed.
    #[error("a migration failed; the database is as it was")]
    Failed(#[source] BoxError),
    /// The database could not answer.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl SqliteStore {
    /// Runs the migrations that are missing, all or none of them.
    pub async fn migrate(&self) -> Result<(), MigrateError> {
        self.write(|transaction| {
            let connection = &mut *transaction.connection;
            refuse_newer(connection)?;
            connection.run_pending_migrations(MIGRATIONS).map(drop).map_err(failed)
        })
        .await
    }
}

fn failed(error: BoxError) -> Abort<MigrateError> {
    Abort::Refused(MigrateError::Failed(error))
}

/// The versions this binary knows, in order.
fn known() -> Result<Vec<String>, BoxError> {
    let migrations = MigrationSource::<Sqlite>::migrations(&MIGRATIONS)?;
    let mut versions: Vec<String> = migrations.iter().map(|migration| migration.name().version().to_string()).collect();
    versions.sort();
    Ok(versions)
}

fn refuse_newer(connection: &mut SqliteConnection) -> Ending<(), MigrateError> {
    let known = known().map_err(failed)?;
    let applied = connection.applied_migrations().map_err(failed)?;
    let newer = applied.iter().map(ToString::to_string).find(|version| !known.contains(version));
    newer.map_or(Ok(()), |version| Err(Abort::Refused(MigrateError::Newer(version))))
}

/// Whether exactly the migrations this binary knows are applied. Looks without touching.
pub(crate) fn is_current(connection: &mut SqliteConnection) -> Ending<bool> {
    let versions = applied::table.select(applied::version).order(applied::version.asc());
    let applied: Vec<String> = connection.transaction(|connection| versions.load(connection))?;
    let known = known().map_err(|error| Abort::Failed(Unavailable::fault(error)))?;
    Ok(applied == known)
}
