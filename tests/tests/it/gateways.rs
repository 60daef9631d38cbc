//! Runtimes that are not this project's own, as the API and the command line show them.

use e2e::{Api, Installation, Store, eventually};
use nora_testkit_runtimes::{Gateway, GatewaySettings, Hermes, Journal, Reach, Sidecar, TlsFront};
use serde_json::{Value, json};

e2e::on_both_stores!(
    a_gateway_is_paired_filled_and_emptied,
    a_gateway_with_tls_is_trusted_as_the_system_says,
    an_agent_that_moves_its_sidecar_keeps_its_gateway,
    a_hermes_and_a_sidecar_are_told_what_they_can_take,
);

async fn register(api: &Api, runtime: Value, gateway: &Gateway) -> Value {
    let gateway = json!({ "url": gateway.url(), "token": GatewaySettings::default().secret });
    api.post("/api/agents", json!({ "name": "Elsewhere", "runtime": runtime, "gateway": gateway })).await.json(201)
}

fn variable<'a>(view: &'a Value, name: &str) -> &'a Value {
    view["variables"].as_array().unwrap().iter().find(|variable| variable["name"] == name).unwrap()
}

fn pairs(gateway: &Gateway) -> Vec<(String, String)> {
    gateway.environment().into_iter().collect()
}

fn pair(name: &str, value: &str) -> Vec<(String, String)> {
    vec![(name.to_owned(), value.to_owned())]
}

async fn a_gateway_is_paired_filled_and_emptied(store: Store) {
    let installation = Installation::new(store).await;
    let server = installation.start().await;
    let api = installation.api();
    let remote = GatewaySettings { reach: Reach::Remote, ..GatewaySettings::default() };
    let gateway = Gateway::start(remote, Journal::new()).await;
    let agent = register(&api, json!({ "kind": "openclaw" }), &gateway).await;
    let (id, device) = (agent["id"].as_str().unwrap(), agent["gateway"]["device_id"].as_str().unwrap());

    let view = api.wait_failing(id, "not_paired").await;
    assert!(view["last_error"]["detail"].as_str().unwrap().contains(device), "{view}");
    assert_eq!((&view["next_attempt_at"], gateway.connections()), (&Value::Null, 1), "it is not tried again by itself");
    let shown = installation.run(&["runtime", "device-key", id]).await.success();
    assert!(shown.contains(device), "{shown}");
    gateway.pair(device);
    api.request_sync(id).await;
    api.wait_in_sync(id).await;

    let integrations = format!("/api/agents/{id}/integrations");
    let linear = api.connect(id, json!({ "provider": "linear", "token": "lin_api_first" })).await;
    api.connect(id, json!({ "provider": "github", "token": "ghp_first" })).await;
    let view = api.wait_in_sync(id).await;
    assert_eq!(pairs(&gateway), pair("LINEAR_API_KEY", "lin_api_first"));
    assert_eq!(variable(&view, "LINEAR_API_KEY")["state"], "live");
    let waiting = variable(&view, "GITHUB_TOKEN");
    assert_eq!(waiting["state"], "pending_redeploy");
    assert!(waiting["reason"].as_str().unwrap().contains("deployment"), "{waiting}");

    api.patch(&format!("{integrations}/{linear}"), json!({ "token": "lin_api_second" })).await.json(200);
    api.wait_in_sync(id).await;
    assert_eq!(pairs(&gateway), pair("LINEAR_API_KEY", "lin_api_second"));

    gateway.write("NOTION_TOKEN", "theirs");
    api.delete(&format!("{integrations}/{linear}")).await.json(200);
    let view = api.wait_in_sync(id).await;
    assert_eq!(view["removed"][0]["purge"], "confirmed");
    assert_eq!(pairs(&gateway), pair("NOTION_TOKEN", "theirs"));

    let shown = installation.run(&["agent", "sync", id]).await.success();
    assert!(shown.contains("GITHUB_TOKEN") && shown.contains("pending_redeploy"), "{shown}");
    assert!(shown.contains("removed linear (default)") && shown.contains("purge confirmed"), "{shown}");

    api.delete(&format!("/api/agents/{id}")).await.json(200);
    let metrics = Api::new(installation.metrics_url(), "");
    eventually("no purge that is waited for", async || {
        let text = metrics.get("/metrics").await.body;
        // A family of metrics in which nothing is waited for is left out whole.
        (text.contains("nora_sync_steps") && !text.contains("nora_purge_unconfirmed{")).then_some(())
    })
    .await;
    server.stop().await;
}

async fn an_agent_that_moves_its_sidecar_keeps_its_gateway(store: Store) {
    let installation = Installation::new(store).await;
    let server = installation.start().await;
    let api = installation.api();
    let gateway = Gateway::start(GatewaySettings::default(), Journal::new()).await;
    let (old, new) = (Sidecar::start(Journal::new()).await, Sidecar::start(Journal::new()).await);
    let agent = register(&api, json!({ "kind": "openclaw", "url": old.url() }), &gateway).await;
    let id = agent["id"].as_str().unwrap();
    let linear = api.connect(id, json!({ "provider": "linear", "token": "lin_api_first" })).await;
    api.wait_in_sync(id).await;
    assert_eq!((pairs(&gateway), old.integrations().len()), (pair("LINEAR_API_KEY", "lin_api_first"), 1));

    api.patch(&format!("/api/agents/{id}"), json!({ "runtime": { "url": new.url() } })).await.json(200);
    eventually("the old sidecar empty and the new one filled", async || {
        (old.integrations().is_empty() && new.integrations().len() == 1).then_some(())
    })
    .await;
    api.wait_in_sync(id).await;
    assert_eq!(pairs(&gateway), pair("LINEAR_API_KEY", "lin_api_first"));

    api.delete(&format!("/api/agents/{id}/integrations/{linear}")).await.json(200);
    api.wait_in_sync(id).await;
    assert!(pairs(&gateway).is_empty(), "what the old target wrote is the new one's to delete");
    server.stop().await;
}

async fn a_hermes_and_a_sidecar_are_told_what_they_can_take(store: Store) {
    let installation = Installation::new(store).await;
    let server = installation.start().await;
    let api = installation.api();
    let (hermes, sidecar) = (Hermes::start("token", Journal::new()).await, Sidecar::start(Journal::new()).await);
    for (kind, url, state) in [("hermes", hermes.url(), "live"), ("sidecar", sidecar.url(), "unsupported")] {
        let runtime = json!({ "kind": kind, "url": url, "token": "token" });
        let agent = api.post("/api/agents", json!({ "name": kind, "runtime": runtime })).await.json(201);
        let id = agent["id"].as_str().unwrap();
        api.connect(id, json!({ "provider": "linear", "token": "lin_api_first" })).await;
        let view = api.wait_in_sync(id).await;
        assert_eq!(variable(&view, "LINEAR_API_KEY")["state"], state, "{kind}");
    }
    assert_eq!(hermes.lines()["LINEAR_API_KEY"], "lin_api_first");
    assert!(!json!(sidecar.integrations()).to_string().contains("lin_api_first"));
    server.stop().await;
}

async fn a_gateway_with_tls_is_trusted_as_the_system_says(store: Store) {
    let gateway = Gateway::start(GatewaySettings::default(), Journal::new()).await;
    let (known, unknown) = (TlsFront::start(&gateway.url()).await, TlsFront::start(&gateway.url()).await);
    let installation = Installation::new(store).await;
    let file = installation.scratch().join("authorities.pem");
    std::fs::write(&file, known.pem()).unwrap();
    let installation = installation.with("SSL_CERT_FILE", &file.display().to_string());
    let server = installation.start().await;
    let api = installation.api();
    let secret = GatewaySettings::default().secret;
    let body = |url: &str| {
        json!({ "name": "Afar", "runtime": { "kind": "openclaw" },
        "gateway": { "url": url, "token": secret } })
    };
    let created = api.post("/api/agents", body(&known.url())).await.json(201);
    let agent = created["id"].as_str().unwrap();
    api.connect(agent, json!({ "provider": "linear", "token": "lin_api_first" })).await;
    api.wait_in_sync(agent).await;
    assert_eq!(pairs(&gateway), pair("LINEAR_API_KEY", "lin_api_first"));

    let met = gateway.connections();
    let created = api.post("/api/agents", body(&unknown.url())).await.json(201);
    api.wait_failing(created["id"].as_str().unwrap(), "tls").await;
    assert_eq!(gateway.connections(), met, "the secret was not sent to whoever answered");
    assert_eq!(api.post("/api/agents", body("ws://1.1.1.1:18789")).await.status, 400);
    server.stop().await;
}
