//! The schema, from nothing and back.

use diesel_async::async_connection_wrapper::AsyncConnectionWrapper;
use diesel_migrations::{FileBasedMigrations, MigrationHarness as _};
use nora_kernel::Readiness as _;
use nora_store_postgres::MigrateError;
use nora_testkit_postgres::TestDatabase;

use crate::fixture::{Owner, open};

/// Everything that makes up the schema, in one order.
const SCHEMA: &str = "
    SELECT format('%s.%s %s %s %s', table_name, column_name, data_type, is_nullable, generation_expression) AS value
    FROM information_schema.columns WHERE table_schema = 'public'
    UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL SELECT format('%s %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid))
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    ORDER BY value";

const OWN_TABLES: &str = "SELECT count(*) AS value FROM pg_tables \
                          WHERE schemaname = 'public' AND tablename <> '__diesel_schema_migrations'";

async fn revert_everything(database: &TestDatabase) {
    let connection = Owner::of(database).await.into_inner();
    let revert = move || {
        let migrations = FileBasedMigrations::from_path("../../migrations/postgres").unwrap();
        let mut connection: AsyncConnectionWrapper<_> = connection.into();
        connection.revert_all_migrations(migrations).unwrap();
    };
    tokio::task::spawn_blocking(revert).await.unwrap();
}

#[tokio::test]
async fn every_step_goes_back_and_forth() {
    let database = TestDatabase::create_empty().await;
    let mut owner = Owner::of(&database).await;
    let store = open(database.url()).await;
    store.migrate().await.unwrap();
    let schema = owner.texts(SCHEMA).await;
    assert!(schema.iter().any(|line| line.contains("sync_targets_due")), "{schema:#?}");

    revert_everything(&database).await;
    assert_eq!(owner.number(OWN_TABLES).await, 0);
    store.migrate().await.unwrap();
    assert_eq!(owner.texts(SCHEMA).await, schema);
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_that_start_at_once_migrate_once() {
    let database = TestDatabase::create_empty().await;
    let (one, other, third) = (open(database.url()).await, open(database.url()).await, open(database.url()).await);
    let ended = tokio::join!(one.migrate(), other.migrate(), third.migrate());
    assert!(ended.0.is_ok() && ended.1.is_ok() && ended.2.is_ok(), "{ended:?}");
    one.ready().await.unwrap();
    one.migrate().await.unwrap();
}

#[tokio::test]
async fn a_newer_schema_is_refused_and_left_alone() {
    let database = TestDatabase::create_empty().await;
    let mut owner = Owner::of(&database).await;
    owner
        .run(
            "CREATE TABLE __diesel_schema_migrations (version varchar(50) PRIMARY KEY, \
             run_on timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP); \
             INSERT INTO __diesel_schema_migrations (version) VALUES ('99991231000000')",
        )
        .await;
    let error = open(database.url()).await.migrate().await.unwrap_err();
    assert!(matches!(&error, MigrateError::NewerSchema(version) if version == "99991231000000"), "{error:?}");
    assert_eq!(owner.number(OWN_TABLES).await, 0);
}

#[tokio::test]
async fn an_older_server_stays_ready_while_a_newer_one_is_rolled_out() {
    let database = TestDatabase::create().await;
    let store = open(database.url()).await;
    store.ready().await.unwrap();
    let mut owner = Owner::of(&database).await;
    owner.run("INSERT INTO __diesel_schema_migrations (version) VALUES ('99991231000000')").await;
    store.ready().await.unwrap();
}

#[tokio::test]
async fn a_server_without_its_schema_is_not_ready() {
    let database = TestDatabase::create_empty().await;
    let store = open(database.url()).await;
    assert!(store.ready().await.is_err());

    store.migrate().await.unwrap();
    let mut owner = Owner::of(&database).await;
    owner.run("DELETE FROM __diesel_schema_migrations").await;
    let error = store.ready().await.unwrap_err();
    assert!(error.is_retryable(), "somebody may be migrating: {error:?}");
}
