//! The schema's way here, back, and here again.

use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};
use diesel_migrations::{FileBasedMigrations, MigrationHarness as _};
use nora_kernel::Readiness as _;
use nora_store_sqlite::{MigrateError, Options, SqliteStore};
use nora_testkit::{ManualClock, SequentialIds};
use std::sync::Arc;

use crate::fixture::Database;

#[derive(QueryableByName, Debug, PartialEq, Eq)]
struct Thing {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Nullable<Text>)]
    sql: Option<String>,
}

fn things(connection: &mut SqliteConnection) -> Vec<Thing> {
    let everything = "SELECT name, sql FROM sqlite_schema WHERE tbl_name <> '__diesel_schema_migrations' ORDER BY name";
    diesel::sql_query(everything).load(connection).unwrap()
}

#[test]
fn the_way_back_leaves_nothing_behind() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("nora.db");
    let connection = &mut SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    let migrations = || FileBasedMigrations::from_path("../../migrations/sqlite").unwrap();
    connection.run_pending_migrations(migrations()).unwrap();
    let made = things(connection);
    assert!(made.iter().any(|thing| thing.name == "sync_targets"), "{made:?}");
    connection.revert_all_migrations(migrations()).unwrap();
    assert_eq!(things(connection), []);
    connection.run_pending_migrations(migrations()).unwrap();
    assert_eq!(things(connection), made);
}

#[tokio::test(flavor = "multi_thread")]
async fn migrating_twice_is_harmless() {
    let database = Database::start().await;
    database.store.migrate().await.unwrap();
    database.store.ready().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_file_is_not_ready() {
    let directory = tempfile::tempdir().unwrap();
    let options = Options::new(Arc::new(ManualClock::new()), Arc::new(SequentialIds::new()));
    let store = SqliteStore::open(&directory.path().join("nora.db"), options).await.unwrap();
    assert!(store.ready().await.is_err());
    store.migrate().await.unwrap();
    store.ready().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_schema_is_refused() {
    let mut database = Database::start().await;
    database.store.close().await;
    {
        let connection = &mut SqliteConnection::establish(database.path().to_str().unwrap()).unwrap();
        let newer = "INSERT INTO __diesel_schema_migrations (version) VALUES ('99990101000000')";
        diesel::sql_query(newer).execute(connection).unwrap();
    }
    database.restart().await;
    assert!(database.store.ready().await.is_err());
    match database.store.migrate().await {
        Err(MigrateError::Newer(version)) => assert_eq!(version, "99990101000000"),
        other => panic!("{other:?}"),
    }
}

/// What a table must not be without is declared, so that no statement can forget it.
#[tokio::test(flavor = "multi_thread")]
async fn tables_are_strict_and_keys_are_enforced() {
    let database = Database::start().await;
    database.store.close().await;
    let connection = &mut SqliteConnection::establish(database.path().to_str().unwrap()).unwrap();
    let made = things(connection);
    let tables = made.iter().filter_map(|thing| thing.sql.as_deref()).filter(|sql| sql.starts_with("CREATE TABLE"));
    for table in tables {
        assert!(table.trim_end().trim_end_matches(", WITHOUT ROWID").ends_with("STRICT"), "{table}");
    }
    diesel::sql_query("PRAGMA foreign_keys = ON").execute(connection).unwrap();
    let orphan = "INSERT INTO removals VALUES (zeroblob(16), zeroblob(16), 'github', 'default', '[]', 1, 1, NULL)";
    assert!(diesel::sql_query(orphan).execute(connection).is_err());
}
