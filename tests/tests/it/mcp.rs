//! MCP servers, from the switch to the process, on every store.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use e2e::faults::{Fault, Route};
use e2e::{Api, Installation, Runtime, Store, eventually, on_both_stores};
use serde_json::{Value, json};

on_both_stores!(
    a_redeploy_starts_what_is_switched_on,
    an_outage_ends_in_a_deployment,
    a_runtime_that_is_left_is_emptied_of_servers,
    the_configuration_is_printed,
    of_many_selections_the_last_one_wins_whole
);

/// Stands for `npx`: shakes hands, tells one tool, and waits for its end.
const NPX: &str = r#"#!/bin/sh
read hello
echo '{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2025-06-18","capabilities":{"tools":{}}}}'
read initialized; read list
echo '{"jsonrpc":"2.0","id":2,"result":{"tools":[{"name":"acme_tasks"}]}}'
cat > /dev/null
"#;

/// A runtime that finds that `npx` and nothing before it.
async fn runtime(scratch: &Path) -> Runtime {
    let programs = scratch.join("programs");
    std::fs::create_dir_all(&programs).unwrap();
    let npx = programs.join("npx");
    std::fs::write(&npx, NPX).unwrap();
    std::fs::set_permissions(&npx, std::fs::Permissions::from_mode(0o755)).unwrap();
    Runtime::start_within(format!("{}:/usr/bin:/bin", programs.display()), "/nowhere").await
}

fn environment(pid: Option<u32>) -> BTreeMap<String, String> {
    let bytes = std::fs::read(format!("/proc/{}/environ", pid.unwrap())).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let entries = text.split('\0').filter_map(|entry| entry.split_once('='));
    entries.filter(|(name, _)| *name != "PATH").map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn variables(entries: &[(&str, &str)]) -> BTreeMap<String, String> {
    let home = [("HOME", "/nowhere")];
    entries.iter().chain(&home).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

async fn redeployed(api: &Api, agent: &str) {
    api.request_redeploy(agent).await;
    let deployment = api.wait_deployment(agent, "in_sync").await;
    assert_eq!(
        (&deployment["digest"], &deployment["redeploy_required"]),
        (&deployment["applied_digest"], &json!(false))
    );
}

fn server<'a>(answer: &'a Value, provider: &str) -> &'a Value {
    answer["servers"].as_array().unwrap().iter().find(|server| server["provider"] == provider).unwrap()
}

async fn a_redeploy_starts_what_is_switched_on(store: Store) {
    let installation = Installation::new(store).await;
    let _server = installation.start().await;
    let (api, runtime) = (installation.api(), runtime(&installation.scratch()).await);
    let agent = api.register("Agent", &runtime).await;
    let list = format!("/api/agents/{agent}/mcp-servers");
    let listed = api.get(&list).await.json(200);
    assert!(listed["servers"].as_array().unwrap().len() >= 20, "{listed}");
    let gitlab = server(&listed, "gitlab");
    assert_eq!(gitlab["npmPackage"], "@modelcontextprotocol/server-gitlab");
    assert!(gitlab["notes"].as_str().unwrap().contains("archived"), "{gitlab}");

    let config = json!({ "project": "website" });
    let body = json!({ "provider": "acme", "token": "acme-secret-1", "config": config });
    let integration = api.connect(&agent, body).await;
    let selected = api.select_mcp(&agent, &["acme", "gitlab", "nothing", "acme"]).await;
    assert_eq!((&selected["enabled"], &selected["redeployRequired"]), (&json!(["acme"]), &json!(true)));
    assert!(runtime.handle().mcp().servers.is_empty(), "nothing happens before the redeploy");
    redeployed(&api, &agent).await;
    let first = runtime.wait_for_servers(&["acme"]).await.remove(0);
    assert_eq!(first.tools, ["acme_tasks"]);
    let expected = |token| variables(&[("ACME_MCP_TOKEN", token), ("ACME_MCP_PROJECT", "website")]);
    assert_eq!(environment(first.pid), expected("acme-secret-1"));

    let path = format!("/api/agents/{agent}/integrations/{integration}");
    api.patch(&path, json!({ "token": "acme-secret-2" })).await.json(200);
    api.wait_deployment(&agent, "pending").await;
    assert_eq!(api.select_mcp(&agent, &["acme"]).await["redeployRequired"], true);
    redeployed(&api, &agent).await;
    let second = runtime.wait_for_servers(&["acme"]).await.remove(0);
    assert_eq!(environment(second.pid), expected("acme-secret-2"));

    api.delete(&path).await.json(200);
    assert_eq!(api.wait_deployment(&agent, "pending").await["redeploy_required"], true);
    assert_eq!(server(&api.get(&list).await.json(200), "acme")["enabled"], false);
    redeployed(&api, &agent).await;
    runtime.wait_for_servers(&[]).await;

    let lines = api.get("/api/audit?limit=200").await.json(200);
    let opened = lines.as_array().unwrap().iter().filter(|line| line["purpose"] == "deployment").count();
    assert!((4..=6).contains(&opened), "two redeploys and a look at each state: {opened}");
    let told = format!("{}{}", api.transcript(), installation.logs());
    assert!(!told.contains("acme-secret"), "a credential was shown or logged");
}

async fn an_outage_ends_in_a_deployment(store: Store) {
    let installation = Installation::new(store).await;
    let server = installation.start().await;
    let (api, mut runtime) = (installation.api(), runtime(&installation.scratch()).await);
    let agent = api.register("Agent", &runtime).await;
    api.connect_acme(&agent, "default", "t").await;
    api.wait_in_sync(&agent).await;
    api.select_mcp(&agent, &["acme"]).await;
    runtime.stop().await;
    api.request_redeploy(&agent).await;
    let failing = api.wait_deployment(&agent, "failing").await;
    assert_eq!((&failing["last_error"]["code"], &failing["redeploy_required"]), (&json!("refused"), &json!(true)));
    assert!(failing["next_attempt_at"].is_string(), "{failing}");
    server.kill().await;

    runtime.restart().await;
    let _server = installation.start().await;
    api.wait_deployment(&agent, "in_sync").await;
    runtime.wait_for_servers(&["acme"]).await;

    let handle = runtime.handle();
    let calls = handle.calls(Route::Deployment);
    let unauthorised = Fault::Answer { status: 401, headers: Vec::new(), body: String::new() };
    handle.faults().next(Route::Deployment, unauthorised);
    api.request_redeploy(&agent).await;
    let blocked = eventually("a permanent failure", async || {
        let deployment = api.sync(&agent).await["deployment"].clone();
        (deployment["last_error"]["code"] == "auth").then_some(deployment)
    })
    .await;
    assert_eq!((&blocked["state"], &blocked["next_attempt_at"]), (&json!("failing"), &Value::Null));
    redeployed(&api, &agent).await;
    assert_eq!(handle.calls(Route::Deployment), calls + 2);
}

async fn a_runtime_that_is_left_is_emptied_of_servers(store: Store) {
    let installation = Installation::new(store).await;
    let _server = installation.start().await;
    let (api, old) = (installation.api(), runtime(&installation.scratch()).await);
    let agent = api.register("Agent", &old).await;
    api.connect_acme(&agent, "default", "t").await;
    api.select_mcp(&agent, &["acme"]).await;
    redeployed(&api, &agent).await;
    old.wait_for_servers(&["acme"]).await;

    let new = runtime(&installation.scratch()).await;
    let moved = json!({ "runtime": { "url": new.url(), "token": new.token() } });
    api.patch(&format!("/api/agents/{agent}"), moved).await.json(200);
    old.wait_for_servers(&[]).await;
    assert_eq!(api.wait_deployment(&agent, "pending").await["applied_digest"], Value::Null);
    redeployed(&api, &agent).await;
    new.wait_for_servers(&["acme"]).await;

    api.delete(&format!("/api/agents/{agent}")).await.json(200);
    new.wait_for_servers(&[]).await;
}

async fn the_configuration_is_printed(store: Store) {
    let installation = Installation::new(store).await;
    let _server = installation.start().await;
    let (api, runtime) = (installation.api(), Runtime::start().await);
    let agent = api.register("Agent", &runtime).await;
    api.connect(&agent, json!({ "provider": "gitlab", "token": "glpat-printed" })).await;
    api.select_mcp(&agent, &["gitlab"]).await;
    let print = async |reader: &[&str]| -> Value {
        let arguments = [&["mcp", "config", agent.as_str()][..], reader].concat();
        let printed = installation.run(&arguments).await.success();
        assert!(!printed.contains("glpat-printed"), "{printed}");
        serde_json::from_str(&printed).unwrap()
    };
    let gitlab = json!({
        "command": "npx",
        "args": ["-y", "@modelcontextprotocol/server-gitlab@2025.4.25"],
        "env": { "GITLAB_API_URL": "https://gitlab.com/api/v4", "GITLAB_PERSONAL_ACCESS_TOKEN": "${GITLAB_TOKEN}" },
    });
    assert_eq!(print(&[]).await, json!({ "mcpServers": { "gitlab": gitlab } }));
    assert_eq!(print(&["--for", "claude"]).await, json!({ "mcpServers": { "gitlab": gitlab } }));
    assert_eq!(print(&["--for", "plain"]).await, json!({ "mcpServers": { "gitlab": gitlab } }));
    assert_eq!(print(&["--for", "openclaw"]).await, json!({ "mcp": { "servers": { "gitlab": gitlab } } }));
    assert_eq!(print(&["--for", "hermes"]).await, json!({ "mcp_servers": { "gitlab": gitlab } }));
    let refused = installation.run(&["mcp", "config", &agent, "--for", "yaml"]).await;
    assert!(refused.stderr.contains("claude"), "{refused:?}");
}

async fn of_many_selections_the_last_one_wins_whole(store: Store) {
    let installation = Installation::new(store).await;
    let _server = installation.start().await;
    let (api, runtime) = (installation.api(), Runtime::start().await);
    let agent = api.register("Agent", &runtime).await;
    let all = ["acme", "gitlab", "notion", "stripe"];
    for provider in all {
        api.connect(&agent, json!({ "provider": provider, "token": "t" })).await;
    }
    let sets = [&all[..2], &all[2..], &all[1..3]];
    let puts = (0..12).map(|round| {
        let (api, agent, set) = (api.clone(), agent.clone(), sets[round % 3].to_vec());
        tokio::spawn(async move { (api.select_mcp(&agent, &set).await["enabled"].clone(), set) })
    });
    for put in puts.collect::<Vec<_>>() {
        let (enabled, set) = put.await.unwrap();
        assert_eq!(enabled, json!(set), "each answer is its own request's");
    }
    let listed = api.get(&format!("/api/agents/{agent}/mcp-servers")).await.json(200);
    let enabled = listed["servers"].as_array().unwrap().iter().filter(|server| server["enabled"] == true);
    let enabled: Vec<&str> = enabled.map(|server| server["provider"].as_str().unwrap()).collect();
    assert!(sets.iter().any(|set| enabled == *set), "{enabled:?}");
}
