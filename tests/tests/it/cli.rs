//! The commands beside `serve`.

use std::collections::BTreeSet;
use std::path::Path;

use e2e::{Api, Installation, Runtime, Started, Store, on_both_stores};
use nora_testkit_runtimes::fixtures::{DEVICE_ID, DEVICE_PUBLIC_KEY, DEVICE_SEED};
use serde_json::{Value, json};

on_both_stores!(keys_and_agents_through_a_server, rotation_keeps_everything_readable, a_migration_is_repeatable);

async fn keys_and_agents_through_a_server(store: Store) {
    let installation = Installation::new(store).await;
    let _server = installation.start().await;
    let (api, runtime) = (installation.api(), Runtime::start().await);
    let made = installation.run(&["key", "create", "reader", "--scope", "agents:read", "--scope", "keys:read"]).await;
    let key = made.success().trim().to_owned();
    let reader = api.with_token(&key);
    assert_eq!(reader.get("/api/agents").await.status, 200);
    assert_eq!(reader.get("/api/audit").await.status, 403);

    let list = installation.run(&["key", "list"]).await.success();
    let line = list.lines().find(|line| line.contains("reader")).unwrap();
    assert!(line.contains("agents:read") && !list.contains(&key), "{list}");
    let id = line.split_whitespace().next().unwrap();
    installation.run(&["key", "revoke", id]).await.success();
    assert_eq!(reader.get("/api/agents").await.status, 401);
    let again = installation.run(&["key", "revoke", id]).await;
    assert!(again.refusal().contains("404"), "{again:?}");

    let agent = api.register("Operated", &runtime).await;
    api.connect_acme(&agent, "default", "t").await;
    let agents = installation.run(&["agent", "list"]).await.success();
    assert!(agents.lines().any(|line| line.contains(&agent) && line.contains("Operated")), "{agents}");
    let sync = installation.run(&["agent", "sync", &agent]).await.success();
    assert!(sync.contains("in_sync") && sync.contains("ACME_API_TOKEN"), "{sync}");
    let gateway =
        json!({ "url": format!("ws://127.0.0.1:{}", e2e::free_port()), "token": "g", "device_key": DEVICE_SEED });
    let paired = json!({ "name": "Paired", "runtime": { "kind": "openclaw" }, "gateway": gateway });
    let paired = api.post("/api/agents", paired).await.json(201);
    let device = installation.run(&["runtime", "device-key", paired["id"].as_str().unwrap()]).await.success();
    assert_eq!(device, format!("device id   {DEVICE_ID}\npublic key  {DEVICE_PUBLIC_KEY}\n"));
    assert_eq!(paired["gateway"]["device_id"], DEVICE_ID);
    let none = installation.run(&["runtime", "device-key", &agent]).await;
    assert!(none.refusal().contains("no gateway"), "{none:?}");
    let wrong = installation.run(&["agent", "list", "--token-file", "/does/not/exist"]).await;
    assert!(wrong.refusal().contains("--token-file"), "{wrong:?}");
}

async fn rotation_keeps_everything_readable(store: Store) {
    let installation = Installation::new(store).await;
    let mut runtimes = Vec::new();
    let server = installation.start().await;
    let api = installation.api();
    for number in 0..3 {
        let runtime = Runtime::start().await;
        let agent = api.register(&format!("Agent {number}"), &runtime).await;
        api.connect_acme(&agent, "default", &format!("token-{number}")).await;
        runtimes.push((agent, runtime, format!("token-{number}")));
    }
    for (agent, ..) in &runtimes {
        api.wait_in_sync(agent).await;
    }
    assert_eq!(server.stop().await.code, Some(0));
    let before = active(&installation).await;
    assert!(before.contains("3 agents"), "{before}");

    installation.run(&["vault", "rotate"]).await.success();
    if store == Store::Postgres {
        let server = installation.start().await;
        installation.run(&["vault", "rotate"]).await.success();
        readable(&installation, &mut runtimes).await;
        assert_eq!(server.stop().await.code, Some(0));
    }
    let after = active(&installation).await;
    assert!(after.contains("3 agents"), "{after}");
    assert_ne!(key_id(&before), key_id(&after), "another key is active");
    let _server = installation.start().await;
    readable(&installation, &mut runtimes).await;
    api.connect_acme(&runtimes[0].0, "new", "sealed-after").await;
    runtimes[0].1.wait_for_value("ACME_API_TOKEN__NEW", "sealed-after").await;
}

async fn active(installation: &Installation) -> String {
    let status = installation.run(&["vault", "status"]).await.success();
    status.lines().find(|line| line.contains("active")).unwrap().to_owned()
}

fn key_id(line: &str) -> &str {
    line.split_whitespace().next().unwrap()
}

/// Runtimes that forgot everything get it all again.
async fn readable(installation: &Installation, runtimes: &mut [(String, Runtime, String)]) {
    for (agent, runtime, token) in runtimes {
        runtime.restart().await;
        installation.api().request_sync(agent).await;
        runtime.wait_for_env(&[("ACME_API_TOKEN", token)]).await;
    }
}

async fn a_migration_is_repeatable(store: Store) {
    let installation = Installation::new(store).await;
    for _ in 0..2 {
        installation.run(&["migrate"]).await.success();
    }
    let server = installation.start().await;
    assert_eq!(server.stop().await.code, Some(0));
    installation.run(&["migrate"]).await.success();
    installation.start().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_embedded_store_is_one_process_s() {
    let installation = Installation::new(Store::Sqlite).await;
    let _server = installation.start().await;
    let (api, runtime) = (installation.api(), Runtime::start().await);
    let agent = api.register("Running", &runtime).await;
    api.wait_in_sync(&agent).await;
    let rotated = installation.run(&["vault", "rotate"]).await;
    assert_ne!(rotated.code, Some(0), "a server that runs would lose its keys: {rotated:?}");
    api.connect_acme(&agent, "default", "still-good").await;
    runtime.wait_for_env(&[("ACME_API_TOKEN", "still-good")]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flags_say_what_variables_say() {
    let mut installation = Installation::new(Store::Sqlite).await;
    let (data, providers) = (installation.data_dir().display().to_string(), installation.providers_dir());
    let (listen, metrics) = (format!("127.0.0.1:{}", installation.port()), format!("127.0.0.1:{}", e2e::free_port()));
    for name in ["NORA_LISTEN", "NORA_METRICS_LISTEN", "NORA_DATA_DIR", "NORA_PROVIDERS_DIR"] {
        installation.set(name, "not-this");
    }
    let flags = [
        "serve",
        "--listen",
        &listen,
        "--metrics-listen",
        &metrics,
        "--data-dir",
        &data,
        "--providers-dir",
        providers.to_str().unwrap(),
    ];
    let Started::Ready(_server) = installation.try_start(&flags).await else { panic!("it did not start") };
    let catalog = installation.api().get("/api/integrations/catalog/acme").await;
    assert_eq!(catalog.json(200)["name"], "Acme");
    let shown = Api::new(format!("http://{metrics}"), "").get("/metrics").await;
    assert!(shown.status == 200 && shown.body.contains("nora_"), "{}", shown.body);
    let elsewhere = Api::new(installation.url(), "").get("/metrics").await;
    elsewhere.problem(404, "not_found");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_document_is_the_committed_one() {
    let installation = Installation::new(Store::Sqlite).await;
    let _server = installation.start().await;
    let printed: Value = serde_json::from_str(&installation.run(&["openapi"]).await.success()).unwrap();
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/openapi.json");
    let committed: Value = serde_json::from_str(&std::fs::read_to_string(committed).unwrap()).unwrap();
    assert_eq!(printed, committed);
    let served = installation.api().with_token("").get("/api/openapi.json").await.json(200);
    assert_eq!(served["paths"], committed["paths"]);
    assert_eq!(served["openapi"].as_str().unwrap().split('.').next(), Some("3"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_catalog_is_listed_without_a_server() {
    let installation = Installation::new(Store::Sqlite).await;
    let list = installation.run(&["catalog", "list"]).await.success();
    let ids: Vec<&str> = list.lines().filter_map(|line| line.split_whitespace().next()).collect();
    for id in ["slack", "github", "acme", "rival"] {
        assert!(ids.contains(&id), "{list}");
    }
    let _server = installation.start().await;
    let served = installation.api().get("/api/integrations/catalog").await.json(200);
    let served: Vec<&str> = served.as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap()).collect();
    assert_eq!(BTreeSet::from_iter(ids), BTreeSet::from_iter(served), "the same providers");
    let searched = installation.api().get("/api/integrations/catalog?q=suite&auth_type=token").await.json(200);
    assert_eq!(searched[0]["id"], json!("acme"));
}
