//! Throw-away databases on a real cluster.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use diesel::QueryableByName;
use diesel::sql_types::BigInt;
use diesel_async::{AsyncConnection as _, AsyncPgConnection, RunQueryDsl as _, SimpleAsyncConnection as _};
use nora_testkit_postgres::TestDatabase;

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    value: i64,
}

async fn count(connection: &mut AsyncPgConnection, sql: &str) -> i64 {
    let count: Count = diesel::sql_query(sql).get_result(connection).await.unwrap();
    count.value
}

const TABLES: &str = "SELECT count(*) AS value FROM pg_tables WHERE schemaname = 'public'";

#[tokio::test]
async fn every_test_has_a_migrated_database_of_its_own() {
    let (one, other) = (TestDatabase::create().await, TestDatabase::create().await);
    assert_ne!(one.url(), other.url());
    let mut there = AsyncPgConnection::establish(one.url()).await.unwrap();
    there.batch_execute("CREATE TABLE only_here (id bigint)").await.unwrap();
    let mut elsewhere = AsyncPgConnection::establish(other.url()).await.unwrap();
    let tables = count(&mut elsewhere, TABLES).await;
    assert!(tables > 1, "{tables}");
    assert_eq!(count(&mut there, TABLES).await, tables + 1);
}

#[tokio::test]
async fn an_empty_one_has_no_table() {
    let database = TestDatabase::create_empty().await;
    let mut connection = AsyncPgConnection::establish(database.url()).await.unwrap();
    assert_eq!(count(&mut connection, TABLES).await, 0);
}

#[tokio::test]
async fn a_dropped_database_is_gone_although_somebody_is_connected() {
    let watched = TestDatabase::create_empty().await;
    let mut elsewhere = AsyncPgConnection::establish(watched.url()).await.unwrap();
    let (dropped, forgotten) = (TestDatabase::create_empty().await, TestDatabase::create_empty().await);
    let mut urls = vec![dropped.url().to_owned(), forgotten.url().to_owned()];
    let connected = AsyncPgConnection::establish(dropped.url()).await.unwrap();
    dropped.drop_database().await;
    drop(forgotten);
    drop(connected);
    while let Some(url) = urls.pop() {
        let name = url.rsplit('/').next().unwrap();
        let query = format!("SELECT count(*) AS value FROM pg_database WHERE datname = '{name}'");
        assert_eq!(count(&mut elsewhere, &query).await, 0);
    }
}

#[tokio::test]
async fn what_a_killed_run_left_is_swept() {
    let keeper = TestDatabase::create_empty().await;
    let mut connection = AsyncPgConnection::establish(keeper.url()).await.unwrap();
    let name = format!("nora_test_1000000000_{}", std::process::id());
    connection.batch_execute(&format!("CREATE DATABASE {name}")).await.unwrap();
    drop(TestDatabase::create_empty().await);
    let left = format!("SELECT count(*) AS value FROM pg_database WHERE datname = '{name}'");
    // Another test of this binary may be the one that sweeps, and still be at it.
    while count(&mut connection, &left).await > 0 {
        tokio::task::yield_now().await;
    }
}
