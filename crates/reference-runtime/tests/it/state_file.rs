//! What survives a restart.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use nora_reference_runtime::{Config, RunningRuntime, StartError, StateFileError};
use serde_json::json;

use crate::support::{AGENT, answer, config, confirmed, post, push};

fn start(path: &Path) -> Result<RunningRuntime, StartError> {
    RunningRuntime::start(Config { state_file: Some(path.to_owned()), ..config() })
}

#[tokio::test]
async fn the_last_push_survives_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state");
    let runtime = start(&path).unwrap();
    assert_eq!(runtime.handle().generation(), None);
    for (generation, value) in [(8, "old"), (9, "new")] {
        post(&runtime, "/integrations/sync", &push(AGENT, generation, &json!({ "A": value }))).await;
    }
    runtime.stop().await;

    let runtime = start(&path).unwrap();
    assert_eq!(runtime.handle().generation(), Some(9));
    assert_eq!(runtime.handle().env_value("A").unwrap().expose(), "new");
    let stale = post(&runtime, "/integrations/sync", &push(AGENT, 8, &json!({}))).await;
    assert_eq!(stale, answer(409, json!({ "generation": 9 })));
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "nothing else is left behind");
}

#[tokio::test]
async fn a_push_that_cannot_be_kept_is_not_applied() {
    let directory = tempfile::tempdir().unwrap();
    let below = directory.path().join("below");
    fs::create_dir(&below).unwrap();
    let runtime = start(&below.join("state")).unwrap();
    assert_eq!(post(&runtime, "/integrations/sync", &push(AGENT, 1, &json!({}))).await, confirmed(1));
    fs::remove_dir_all(&below).unwrap();
    assert_eq!(post(&runtime, "/integrations/sync", &push(AGENT, 2, &json!({ "A": "a" }))).await.status, 500);
    assert_eq!((runtime.handle().generation(), runtime.handle().env_names().len()), (Some(1), 0));
}

#[tokio::test]
async fn a_file_that_is_damaged_or_open_to_others_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state");
    fs::write(&path, "{").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    assert!(matches!(start(&path).err(), Some(StartError::StateFile(StateFileError::Damaged))));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    assert!(matches!(start(&path).err(), Some(StartError::StateFile(StateFileError::Permissions))));
}

#[tokio::test]
async fn a_runtime_without_a_token_does_not_start() {
    let config = Config { token: nora_kernel::Secret::new(String::new()), ..config() };
    assert!(matches!(RunningRuntime::start(config).err(), Some(StartError::TokenEmpty)));
}

#[tokio::test]
async fn a_runtime_that_stopped_frees_its_port() {
    let runtime = RunningRuntime::start(config()).unwrap();
    let address = runtime.address();
    let taken = RunningRuntime::start(Config { listen: address, ..config() });
    assert!(matches!(taken.err(), Some(StartError::Listen { .. })));
    runtime.stop().await;
    assert!(RunningRuntime::start(Config { listen: address, ..config() }).is_ok());
}
