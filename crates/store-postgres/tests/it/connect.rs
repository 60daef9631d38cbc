//! What becomes of a start that cannot succeed.

use std::error::Error;

use nora_store_postgres::{ConnectError, PostgresStore};
use nora_testkit_postgres::TestDatabase;
use tokio::net::TcpListener;

use crate::fixture::{Owner, open, options};

const PASSWORD: &str = "CANARY";

/// The error, after a look that nothing in it, nor in what caused it, shows the password.
async fn refusal(url: &str) -> ConnectError {
    let error = PostgresStore::connect(options(url)).await.unwrap_err();
    let mut shown = format!("{error} {error:?}");
    let mut cause = error.source();
    while let Some(source) = cause {
        shown = format!("{shown} {source} {source:?}");
        cause = source.source();
    }
    assert!(!shown.contains(PASSWORD), "{shown}");
    error
}

/// The URL of the test's cluster for another user or database, with the password that must never be seen.
fn with(database: &TestDatabase, user: &str, name: &str, parameters: &str) -> String {
    let (_, place) = database.url().split_once('@').unwrap();
    let (place, _) = place.split_once('/').unwrap();
    format!("postgres://{user}:{PASSWORD}@{place}/{name}{parameters}")
}

#[tokio::test]
async fn a_server_without_tls_is_not_spoken_to_when_tls_is_asked_for() {
    let database = TestDatabase::create_empty().await;
    for mode in ["require", "verify-full"] {
        let error = refusal(&with(&database, "nora", "nora", &format!("?sslmode={mode}"))).await;
        assert!(matches!(error, ConnectError::NoTls), "{error:?}");
        assert!(error.to_string().contains("offers no TLS"), "{error}");
    }
}

#[tokio::test]
async fn an_unknown_database_has_an_error_of_its_own() {
    let database = TestDatabase::create_empty().await;
    let (base, _) = database.url().rsplit_once('/').unwrap();
    let error = refusal(&format!("{base}/no_such_database")).await;
    assert!(matches!(error, ConnectError::NoSuchDatabase(_)), "{error:?}");
}

#[tokio::test]
async fn an_unknown_user_is_refused() {
    let database = TestDatabase::create_empty().await;
    let error = refusal(&with(&database, "nobody", "postgres", "")).await;
    assert!(matches!(error, ConnectError::Refused(_)), "{error:?}");
}

#[tokio::test]
async fn nobody_at_home_is_unreachable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = listener.local_addr().unwrap();
    drop(listener);
    let error = refusal(&format!("postgres://nora:{PASSWORD}@{place}/nora")).await;
    assert!(matches!(error, ConnectError::Unreachable(_)), "{error:?}");
}

#[tokio::test]
async fn another_encoding_is_refused() {
    let database = TestDatabase::create_empty().await;
    let mut owner = Owner::of(&database).await;
    let (base, name) = database.url().rsplit_once('/').unwrap();
    let other = format!("{name}_latin");
    let create = format!("CREATE DATABASE {other} TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'");
    owner.run(&create).await;
    let error = refusal(&format!("{base}/{other}")).await;
    owner.run(&format!("DROP DATABASE {other} WITH (FORCE)")).await;
    assert!(matches!(&error, ConnectError::Encoding(encoding) if encoding == "LATIN1"), "{error:?}");
}

#[tokio::test]
async fn a_sound_server_raises_no_warning() {
    let database = TestDatabase::create_empty().await;
    assert_eq!(open(database.url()).await.warnings(), []);
}

#[tokio::test]
async fn the_options_hide_the_url() {
    let shown = format!("{:?}", options(&format!("postgres://nora:{PASSWORD}@db/nora")));
    assert!(!shown.contains(PASSWORD), "{shown}");
}
