//! Who may open the file, and who may read it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;

use nora_access::ports::KeyStore as _;
use nora_kernel::Readiness as _;
use nora_store_sqlite::{OpenError, Options, SqliteStore};
use nora_testkit::{ManualClock, Samples, SequentialIds};

use crate::fixture::Database;

fn options() -> Options {
    Options::new(Arc::new(ManualClock::new()), Arc::new(SequentialIds::new()))
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_open_once() {
    let database = Database::start().await;
    assert!(matches!(database.open_again().await, Err(OpenError::InUse)));

    let alias = database.path().with_file_name("alias.db");
    std::os::unix::fs::symlink(database.path(), &alias).unwrap();
    assert!(matches!(SqliteStore::open(&alias, options()).await, Err(OpenError::InUse)));
    database.store.ready().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_file_can_be_opened_again() {
    let database = Database::start().await;
    database.store.close().await;
    assert!(database.store.ready().await.is_err());
    let samples = Samples::new();
    assert!(database.store.insert(&samples.key(), &samples.line()).await.is_err());

    let again = database.open_again().await.unwrap();
    again.ready().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_store_lets_go_of_its_file() {
    let database = Database::start().await;
    let path = database.path();
    let Database { store, directory: _kept, .. } = database;
    drop(store);
    // The connection is closed by a task of its own, which nothing waits for.
    loop {
        match SqliteStore::open(&path, options()).await {
            Ok(store) => break store.ready().await.unwrap(),
            Err(OpenError::InUse) => tokio::task::yield_now().await,
            Err(error) => panic!("{error}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_owner_may_read() {
    let database = Database::start().await;
    // A reader makes the files of the log appear.
    database.store.ready().await.unwrap();
    let directory = database.path().parent().unwrap().to_owned();
    let mut seen: Vec<String> = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
        seen.push(path.file_name().unwrap().to_string_lossy().into_owned());
    }
    seen.sort();
    assert_eq!(seen, ["nora.db", "nora.db-shm", "nora.db-wal", "nora.db.lock"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_others_could_read_is_taken_from_them() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("nora.db");
    fs::write(&path, "").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let _store = SqliteStore::open(&path, options()).await.unwrap();
    assert_eq!(mode(&path), 0o600);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_database_is_not_opened() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("nora.db");
    fs::write(&path, "this is a text, and not a short one, that nobody would take for a database").unwrap();
    assert!(matches!(SqliteStore::open(&path, options()).await, Err(OpenError::Setup(_))));
    let missing = directory.path().join("no such directory").join("nora.db");
    assert!(matches!(SqliteStore::open(&missing, options()).await, Err(OpenError::File(_))));
}
