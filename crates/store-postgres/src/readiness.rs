//! Whether the database can do its work now.

use std::time::Duration;

use async_trait::async_trait;
use diesel::QueryableByName;
use diesel::sql_types::Text;
use nora_kernel::{Readiness, Unavailable};
use tokio::time::timeout;

use crate::error::StoreError;
use crate::migrations;
use crate::statement::Statement;
use crate::store::PostgresStore;

/// How long the answer may take.
const PATIENCE: Duration = Duration::from_secs(1);

const APPLIED: &str = "SELECT version::text AS version FROM __diesel_schema_migrations";

#[derive(QueryableByName)]
struct Applied {
    #[diesel(sql_type = Text)]
    version: String,
}

#[async_trait]
impl Readiness for PostgresStore {
    /// The database answers and has every step this release knows. It may have more: a newer release that is being
    /// rolled out only adds.
    async fn ready(&self) -> Result<(), Unavailable> {
        let applied = timeout(PATIENCE, self.select::<Applied>(Statement::new(APPLIED)));
        let applied = applied.await.map_err(|_| StoreError::Deadline)??;
        let known = migrations::known().map_err(Unavailable::fault)?;
        match known.into_iter().find(|version| applied.iter().all(|applied| applied.version != *version)) {
            Some(missing) => Err(StoreError::NotMigrated(missing).into()),
            None => Ok(()),
        }
    }
}
