//! MCP servers as child processes.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use nora_reference_runtime::McpServerState::{Failed, Remote};
use nora_reference_runtime::{Config, McpReport, McpServerReport, McpServerState, RunningRuntime};
use serde_json::{Value, json};

use crate::support::{AGENT, TOKEN, config, digest, get, post, runtime};

/// Shakes hands, tells two tools on two pages, and waits for its end with a child of its own.
const SERVER: &str = r#"
    say() { printf '%s\n' "$1"; }
    read hello; say 'a greeting'
    say '{"jsonrpc":"2.0","id":7,"method":"ping"}'
    say '{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2025-06-18","capabilities":{"tools":{}}}}'
    read pong; read initialized; read list
    say '{"jsonrpc":"2.0","id":2,"result":{"tools":[{"name":"one"}],"nextCursor":"x"}}'
    read next
    say '{"jsonrpc":"2.0","id":3,"result":{"tools":[{"name":"two"}]}}'
    cat > /dev/null
"#;

fn server(env: &Value) -> Value {
    json!({ "args": ["-c", SERVER], "command": "sh", "env": env })
}

async fn deploy(runtime: &RunningRuntime, servers: &Value) {
    let document =
        json!({ "agent_id": AGENT, "digest": digest(&json!({ "mcpServers": servers })), "mcpServers": servers });
    assert_eq!(post(runtime, "/deployment", &document).await.status, 200);
}

async fn until(runtime: &RunningRuntime, condition: impl Fn(&McpReport) -> bool) -> McpReport {
    loop {
        let report = runtime.handle().mcp();
        if condition(&report) {
            return report;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn running(runtime: &RunningRuntime, count: usize) -> Vec<McpServerReport> {
    let is_running = |server: &McpServerReport| server.state == McpServerState::Running;
    let report = until(runtime, |report| report.servers.len() == count && report.servers.iter().all(is_running)).await;
    report.servers
}

fn environment(pid: u32) -> BTreeMap<String, String> {
    let bytes = std::fs::read(format!("/proc/{pid}/environ")).unwrap();
    let entries = String::from_utf8(bytes).unwrap();
    let entries = entries.split('\0').filter_map(|entry| entry.split_once('='));
    entries.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

async fn ended(pid: u32) {
    // A process that has ended and was not waited for yet has no environment any more.
    while std::fs::read(format!("/proc/{pid}/environ")).is_ok_and(|environment| !environment.is_empty()) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn pid(server: &McpServerReport) -> u32 {
    server.pid.unwrap()
}

#[tokio::test]
async fn servers_run_with_their_own_variables_and_tell_their_tools() {
    let runtime = RunningRuntime::start(Config { home: Some("/nowhere".into()), ..config() }).unwrap();
    post(&runtime, "/integrations/sync", &crate::support::push(AGENT, 1, &json!({ "PUSHED": "pushed" }))).await;
    let servers =
        json!({ "acme": server(&json!({ "ACME_KEY": "a = $b", "HOME": "/own" })), "beta": server(&json!({})) });
    deploy(&runtime, &servers).await;
    let running = running(&runtime, 2).await;
    assert_eq!([&running[0].name, &running[1].name], ["acme", "beta"]);
    assert!(running.iter().all(|server| server.tools == ["one", "two"] && server.error.is_none()));

    let path = environment(std::process::id())["PATH"].clone();
    let expected = |entries: &[(&str, &str)]| {
        let own = entries.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        own.chain([("PATH".to_owned(), path.clone())]).collect::<BTreeMap<_, _>>()
    };
    assert_eq!(environment(pid(&running[0])), expected(&[("ACME_KEY", "a = $b"), ("HOME", "/own")]));
    assert_eq!(environment(pid(&running[1])), expected(&[("HOME", "/nowhere")]));

    let shown = get(&runtime, "/mcp", Some(TOKEN)).await;
    assert_eq!((shown.status, &shown.body["servers"][0]["tools"]), (200, &json!(["one", "two"])));
    assert!(!shown.body.to_string().contains("a = $b"), "{shown:?}");
    assert_eq!(get(&runtime, "/mcp", None).await.status, 401);
}

#[tokio::test]
async fn what_changes_is_started_anew_and_what_goes_is_ended() {
    let runtime = runtime();
    let [same, changed, gone] = ["1", "2", "3"].map(|value| server(&json!({ "A": value })));
    deploy(&runtime, &json!({ "changed": changed, "gone": gone, "same": same })).await;
    let before = running(&runtime, 3).await;

    deploy(&runtime, &json!({ "changed": server(&json!({ "A": "4" })), "same": same })).await;
    let after = running(&runtime, 2).await;
    assert_ne!(after[0].pid, before[0].pid, "its variable has another value");
    assert_eq!(after[1].pid, before[2].pid, "nothing about it has changed");
    assert_eq!(environment(pid(&after[0]))["A"], "4");
    ended(pid(&before[0])).await;
    ended(pid(&before[1])).await;

    deploy(&runtime, &json!({})).await;
    for server in &after {
        ended(pid(server)).await;
    }
    assert!(runtime.handle().mcp().servers.is_empty());
}

#[tokio::test]
async fn a_server_ends_with_what_it_has_started_and_with_the_runtime() {
    let directory = tempfile::tempdir().unwrap();
    let note = directory.path().join("pid");
    let script = format!("sleep 1000 & echo $! > {}; {SERVER}", note.display());
    let runtime = runtime();
    deploy(&runtime, &json!({ "acme": { "args": ["-c", script], "command": "sh", "env": {} } })).await;
    let server = pid(&running(&runtime, 1).await[0]);
    let grandchild: u32 = std::fs::read_to_string(&note).unwrap().trim().parse().unwrap();
    assert!(Path::new(&format!("/proc/{grandchild}")).exists());
    runtime.stop().await;
    ended(server).await;
    ended(grandchild).await;
}

#[tokio::test]
async fn what_does_not_run_says_why() {
    let runtime = runtime();
    let program = |command: &str, script: &str| json!({ "args": ["-c", script], "command": command, "env": {} });
    let servers = json!({
        "deaf": program("sh", "read hello; echo '{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}'; cat > /dev/null"),
        "missing": program("no-such-program", ""),
        "refusing": program("sh", "read hello; echo '{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":1}}'; cat"),
        "remote": { "headers": { "Authorization": "Bearer t" }, "url": "https://mcp.acme.example" },
        "short": program("sh", "exit 3"),
    });
    deploy(&runtime, &servers).await;
    let settled = |server: &McpServerReport| server.state != McpServerState::Starting;
    let report = until(&runtime, |report| report.servers.iter().all(settled)).await;
    let told: Vec<_> = report.servers.iter().map(|server| (server.state, server.error.as_deref())).collect();
    assert_eq!(told[0], (Failed, Some("the server does not speak the protocol")));
    assert_eq!(told[1], (Failed, Some("the program does not start: entity not found")));
    assert_eq!(told[2], (Failed, Some("the server refuses the request")));
    assert_eq!(told[3], (Remote, None));
    assert_eq!(told[4], (Failed, Some("the program ended: exit status: 3")));
    assert!(report.servers.iter().all(|server| server.pid.is_none()));
}

#[tokio::test]
async fn a_server_that_has_ended_is_started_by_the_next_deployment() {
    let runtime = runtime();
    let servers = json!({ "acme": server(&json!({})) });
    deploy(&runtime, &servers).await;
    let first = pid(&running(&runtime, 1).await[0]);
    rustix::process::kill_process(
        rustix::process::Pid::from_raw(i32::try_from(first).unwrap()).unwrap(),
        rustix::process::Signal::KILL,
    )
    .unwrap();
    until(&runtime, |report| report.servers[0].state == Failed).await;
    deploy(&runtime, &servers).await;
    assert_ne!(pid(&running(&runtime, 1).await[0]), first);
}

#[tokio::test]
async fn the_last_deployment_survives_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let start = || RunningRuntime::start(Config { state_file: Some(directory.path().join("state")), ..config() });
    let runtime = start().unwrap();
    deploy(&runtime, &json!({ "acme": server(&json!({ "A": "kept" })) })).await;
    running(&runtime, 1).await;
    runtime.stop().await;

    let runtime = start().unwrap();
    let again = running(&runtime, 1).await;
    assert_eq!(environment(pid(&again[0]))["A"], "kept");
}
