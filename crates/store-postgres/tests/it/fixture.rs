//! Stores on throw-away databases, and a look at the database behind their backs.

use std::sync::Arc;

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Text};
use diesel_async::{AsyncConnection as _, AsyncPgConnection, RunQueryDsl as _, SimpleAsyncConnection as _};
use nora_kernel::Secret;
use nora_store_postgres::{PostgresOptions, PostgresStore};
use nora_testkit::{Fixture, ManualClock, Stores};
use nora_testkit_postgres::TestDatabase;
use rustls::{ClientConfig, RootCertStore};

/// Two servers on one database.
pub(crate) struct PostgresFixture {
    // Dropped first: the database goes last.
    pub(crate) here: Arc<PostgresStore>,
    pub(crate) elsewhere: Arc<PostgresStore>,
    pub(crate) clock: ManualClock,
    pub(crate) database: TestDatabase,
}

impl PostgresFixture {
    pub(crate) async fn start() -> Self {
        let database = TestDatabase::create().await;
        let (here, elsewhere) = (open(database.url()).await, open(database.url()).await);
        Self { here, elsewhere, clock: ManualClock::new(), database }
    }
}

impl Fixture for PostgresFixture {
    fn here(&self) -> &dyn Stores {
        &self.here
    }

    fn elsewhere(&self) -> &dyn Stores {
        &self.elsewhere
    }

    fn clock(&self) -> &ManualClock {
        &self.clock
    }
}

/// How many processes show that they live, by the advisory lock of their listening sessions.
pub(crate) const LISTENERS: &str = "\
    SELECT count(*) AS value FROM pg_locks WHERE locktype = 'advisory' AND granted \
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";

/// Ends those sessions.
pub(crate) const CUT_LISTENERS: &str = "\
    SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted \
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";

/// Trusts nobody.
pub(crate) fn tls() -> Arc<ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    Arc::new(builder.with_root_certificates(RootCertStore::empty()).with_no_client_auth())
}

pub(crate) fn options(url: &str) -> PostgresOptions {
    PostgresOptions::new(Secret::new(url.to_owned()), tls())
}

pub(crate) async fn open(url: &str) -> Arc<PostgresStore> {
    open_with(options(url)).await
}

pub(crate) async fn open_with(options: PostgresOptions) -> Arc<PostgresStore> {
    Arc::new(PostgresStore::connect(options).await.unwrap())
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    value: i64,
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    value: String,
}

/// A connection of the database's owner.
pub(crate) struct Owner(AsyncPgConnection);

impl Owner {
    pub(crate) async fn of(database: &TestDatabase) -> Self {
        Self(AsyncPgConnection::establish(database.url()).await.unwrap())
    }

    pub(crate) fn into_inner(self) -> AsyncPgConnection {
        self.0
    }

    pub(crate) async fn run(&mut self, sql: &str) {
        self.0.batch_execute(sql).await.unwrap();
    }

    /// The number a query returns as `value`.
    pub(crate) async fn number(&mut self, sql: &str) -> i64 {
        diesel::sql_query(sql).get_result::<Number>(&mut self.0).await.unwrap().value
    }

    /// The texts a query returns as `value`.
    pub(crate) async fn texts(&mut self, sql: &str) -> Vec<String> {
        let lines: Vec<Line> = diesel::sql_query(sql).load(&mut self.0).await.unwrap();
        lines.into_iter().map(|line| line.value).collect()
    }

    /// Looks until the number is what is expected. A test that waits in vain is ended by its runner.
    pub(crate) async fn wait_for(&mut self, sql: &str, expected: i64) {
        while self.number(sql).await != expected {
            tokio::task::yield_now().await;
        }
    }
}
