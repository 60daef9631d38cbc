//! A real Hermes management API, and the file its agents read.

use std::process::Command;

use e2e::{Installation, Store, free_port, run_to_end};
use serde_json::json;

use crate::program::{LONGEST, Program};
use crate::{place, proved};

const TOKEN: &str = "real-hermes-session-token";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_real_hermes_receives_rotates_and_loses_a_linear_key() {
    let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
    let home = folder.path().join(".hermes");
    let mut command = Command::new(place::hermes());
    command.args(["serve", "--skip-build", "--port", &port.to_string()]).env_clear().env("PATH", "/usr/bin:/bin");
    command.env("HOME", folder.path()).env("HERMES_HOME", &home).env("HERMES_DASHBOARD_SESSION_TOKEN", TOKEN);
    let mut hermes = Program::start(command, &folder.path().join("log"));
    let url = format!("http://127.0.0.1:{port}");
    let installation = Installation::new(Store::Sqlite).await;
    let server = installation.start().await;
    hermes.wait_for(&format!("{url}/health")).await;
    let mut version = Command::new(place::hermes());
    version.arg("--version").env_clear().env("PATH", "/usr/bin:/bin").env("HOME", folder.path());
    let version = run_to_end(version, LONGEST).await.success();
    proved(&format!("{} is ready as process {}", version.lines().next().unwrap(), hermes.pid()));
    let lines = || std::fs::read_to_string(home.join(".env")).unwrap_or_default();

    let api = installation.api();
    let body = json!({ "name": "Real", "runtime": { "kind": "hermes", "url": url, "token": TOKEN } });
    let agent = api.post("/api/agents", body).await.json(201)["id"].as_str().unwrap().to_owned();
    let integrations = format!("/api/agents/{agent}/integrations");
    let made = api.post(&integrations, json!({ "provider": "linear", "token": "lin_api_first" })).await.json(201);
    api.wait_in_sync(&agent).await;
    assert!(lines().contains("LINEAR_API_KEY=lin_api_first\n"), "{}", lines());
    proved("connected by POST: the line is in the file that a Hermes agent reads at its next turn");

    let integration = format!("{integrations}/{}", made["id"].as_str().unwrap());
    api.patch(&integration, json!({ "token": "lin_api_second" })).await.json(200);
    api.wait_in_sync(&agent).await;
    assert!(lines().contains("LINEAR_API_KEY=lin_api_second\n") && !lines().contains("first"), "{}", lines());
    proved("rotated by PATCH: the line holds the new value alone");

    api.delete(&integration).await.json(200);
    let view = api.wait_in_sync(&agent).await;
    assert_eq!(view["removed"][0]["purge"], "confirmed");
    assert!(!lines().contains("lin_api_"), "{}", lines());
    proved("removed by DELETE: the line is empty, and the purge is confirmed");
    server.stop().await;
}
