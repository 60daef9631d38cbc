//! MCP servers, the deployment they make, and redeploys.

use std::time::Duration;

use nora_kernel::{AgentId, Clock as _, Purpose, Scope};
use nora_mcp_servers::ports::{Completion, RedeployStore as _};
use serde_json::{Value, json};

use crate::support::Bench;

struct Scene {
    bench: Bench,
    admin: String,
    agent: String,
}

impl Scene {
    async fn start() -> Self {
        let bench = Bench::start();
        let admin = bench.admin().await;
        let agent = bench.agent(&admin).await;
        Self { bench, admin, agent }
    }

    async fn get(&self, path: &str) -> Value {
        let answer = self.bench.get(&self.admin, &format!("{}/{path}", self.agent)).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    }

    async fn put(&self, body: &Value) -> Value {
        let answer = self.bench.put(&self.admin, &format!("{}/mcp-servers", self.agent), body).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    }

    async fn forge(&self) {
        let config = json!({ "user": "ada", "base_url": "https://forge.example" });
        let body = json!({ "provider": "forge", "token": "good-token", "config": config });
        assert_eq!(self.bench.post(&self.admin, &format!("{}/integrations", self.agent), &body).await.status, 201);
    }

    /// Has the runtime confirm what a redeploy hands over now.
    async fn redeploy(&self) {
        let asked = self.bench.post(&self.admin, &format!("{}/redeploy", self.agent), &json!({})).await;
        assert_eq!((asked.status, asked.json()), (202, json!({ "accepted": true })));
        let digest = self.get("deployment").await["digest"].as_str().unwrap().to_owned();
        let hex = digest.strip_prefix("hmac-sha256:").unwrap();
        let byte = |at| u8::from_str_radix(&hex[at * 2..at * 2 + 2], 16).unwrap();
        let now = self.bench.clock.now();
        let claim = self.bench.memory.claim(1, Duration::from_secs(15), now).await.unwrap().remove(0);
        let id: AgentId = self.agent.rsplit('/').next().unwrap().parse().unwrap();
        assert_eq!(claim.agent, id);
        let line = self.bench.line_of(&claim.workspace);
        let target = self.bench.memory.snapshot(&claim, &line).await.unwrap().unwrap().target.id;
        let completion = Completion { target, digest: std::array::from_fn(byte), servers: Vec::new(), at: now };
        self.bench.memory.complete(&claim, &completion).await.unwrap();
    }

    /// How often credentials were opened for a deployment.
    async fn openings(&self) -> usize {
        let lines = self.bench.get(&self.admin, "/api/audit?limit=200").await.json();
        let purpose = Purpose::Deployment.as_str();
        lines.as_array().unwrap().iter().filter(|line| line["purpose"] == purpose).count()
    }
}

#[actix_web::test]
async fn every_supported_provider_is_listed() {
    let scene = Scene::start().await;
    scene.bench.slack(&scene.admin, &scene.agent).await;
    let expected = json!({ "servers": [
        {
            "provider": "forge", "name": "Forge", "npmPackage": "", "docsUrl": "https://forge.example/mcp",
            "notes": "Speaks over the network.", "connected": false, "enabled": false,
        },
        {
            "provider": "slack", "name": "Slack", "npmPackage": "@slack.example/mcp",
            "docsUrl": "https://slack.example/mcp", "notes": "", "connected": true, "enabled": false,
        },
    ] });
    assert_eq!(scene.get("mcp-servers").await, expected);
}

#[actix_web::test]
async fn a_selection_replaces_the_set_and_ignores_what_it_cannot_use() {
    let scene = Scene::start().await;
    scene.bench.slack(&scene.admin, &scene.agent).await;
    let providers = json!(["slack", "forge", "retired", "nobody", "", "NOT AN ID", "slack"]);
    let put = scene.put(&json!({ "providers": providers })).await;
    assert_eq!((&put["enabled"], &put["redeployRequired"]), (&json!(["slack"]), &json!(true)));
    assert_eq!(put["servers"], scene.get("mcp-servers").await["servers"]);
    assert_eq!(put["servers"][1]["enabled"], true);

    scene.forge().await;
    assert_eq!(scene.put(&json!({ "providers": ["slack", "forge"] })).await["enabled"], json!(["forge", "slack"]));
    assert_eq!(scene.put(&json!({ "providers": ["forge"] })).await["enabled"], json!(["forge"]));
    let none = scene.put(&json!({ "providers": [] })).await;
    assert_eq!((&none["enabled"], &none["redeployRequired"]), (&json!([]), &json!(false)));
}

#[actix_web::test]
async fn a_body_that_is_no_list_of_texts_changes_nothing() {
    let scene = Scene::start().await;
    scene.bench.slack(&scene.admin, &scene.agent).await;
    scene.put(&json!({ "providers": ["slack"] })).await;
    let path = format!("{}/mcp-servers", scene.agent);
    for body in [
        json!({}),
        json!({ "providers": null }),
        json!({ "providers": "slack" }),
        json!({ "providers": { "0": "slack" } }),
        json!({ "providers": ["forge", 1] }),
        json!({ "providers": [null] }),
        json!({ "Providers": [] }),
        json!([]),
    ] {
        let answer = scene.bench.put(&scene.admin, &path, &body).await;
        assert_eq!(answer.problem(), (400, "body_invalid".to_owned()), "{body}");
    }
    assert_eq!(scene.get("mcp-servers").await["servers"][1]["enabled"], true);
}

#[actix_web::test]
async fn a_redeploy_is_required_until_the_runtime_has_this_very_set() {
    let scene = Scene::start().await;
    let integration = scene.bench.slack(&scene.admin, &scene.agent).await;
    let slack = json!({ "providers": ["slack"] });
    let required = async || scene.put(&slack).await["redeployRequired"].clone();
    assert_eq!(required().await, true);
    scene.redeploy().await;
    assert_eq!(required().await, false);
    assert_eq!(scene.get("sync").await["deployment"]["state"], "in_sync");

    let patch = |token: &str| json!({ "token": token });
    scene.bench.patch(&scene.admin, &integration, &patch("rotated-token")).await;
    assert_eq!(required().await, true, "a rotated token");
    let deployment = scene.get("sync").await["deployment"].clone();
    assert_eq!((&deployment["state"], &deployment["redeploy_required"]), (&json!("pending"), &json!(true)));
    assert_ne!(deployment["digest"], deployment["applied_digest"]);
    scene.bench.patch(&scene.admin, &integration, &patch("good-token")).await;
    assert_eq!(required().await, false, "the value the runtime has");

    scene.bench.delete(&scene.admin, &integration).await;
    let removed = scene.get("sync").await["deployment"].clone();
    assert_eq!(removed["redeploy_required"], true, "a removed integration");
    scene.bench.slack(&scene.admin, &scene.agent).await;
    assert_eq!(scene.get("mcp-servers").await["servers"][1]["enabled"], false, "it was switched off with the last one");
}

#[actix_web::test]
async fn the_default_connection_feeds_the_server_else_the_oldest() {
    let scene = Scene::start().await;
    let connect = async |label: &str| {
        let body = json!({ "provider": "slack", "token": label, "label": label, "config": { "channel": "#a" } });
        let answer = scene.bench.post(&scene.admin, &format!("{}/integrations", scene.agent), &body).await;
        answer.json()["id"].as_str().unwrap().to_owned()
    };
    let older = connect("older").await;
    connect("newer").await;
    scene.put(&json!({ "providers": ["slack"] })).await;
    let feeder = async || {
        let deployment = scene.get("deployment").await;
        deployment["mcpServers"]["slack"]["env"]["MCP_SLACK_TOKEN"]["secretRef"].as_str().unwrap().to_owned()
    };
    assert_eq!(feeder().await, format!("{older}/bot_token"));
    scene.redeploy().await;
    let default = connect("default").await;
    assert_eq!(feeder().await, format!("{default}/bot_token"));
    assert_eq!(scene.get("sync").await["deployment"]["redeploy_required"], true, "a changed feeder");
}

#[actix_web::test]
async fn a_deployment_shows_references_and_is_written_for_its_reader() {
    let scene = Scene::start().await;
    let empty = scene.get("deployment").await;
    assert_eq!((&empty["mcpServers"], &empty["document"]), (&json!({}), &json!({ "mcpServers": {} })));
    let integration = scene.bench.slack(&scene.admin, &scene.agent).await;
    scene.forge().await;
    scene.put(&json!({ "providers": ["slack", "forge"] })).await;
    let id = integration.rsplit('/').next().unwrap();
    let shown = scene.get("deployment").await;
    let process = |token: Value| {
        json!({
            "command": "npx",
            "args": ["-y", "@slack.example/mcp@1.2.3"],
            "env": { "MCP_SLACK_TOKEN": token, "MCP_SLACK_CHANNEL": "#alerts" },
        })
    };
    assert_eq!(shown["mcpServers"]["slack"], process(json!({ "secretRef": format!("{id}/bot_token") })));
    let reference = &shown["mcpServers"]["forge"]["headers"]["Authorization"]["secretRef"];
    assert!(reference.as_str().unwrap().ends_with("/password"), "{shown}");
    let text = shown.to_string();
    assert!(!text.contains("good-token"), "{text}");

    assert_eq!(shown["form"], "plain");
    let placeholder = json!("${SLACK_BOT_TOKEN}");
    assert_eq!(shown["document"]["mcpServers"]["slack"], process(placeholder.clone()));
    let claude = scene.get("deployment?for=claude").await["document"]["mcpServers"].clone();
    assert_eq!((&claude["slack"], &claude["forge"]["type"]), (&process(placeholder.clone()), &json!("http")));
    assert_eq!(claude["forge"]["headers"]["Authorization"], "Bearer ${FORGE_PASSWORD}");
    let openclaw = scene.get("deployment?for=openclaw").await["document"]["mcp"]["servers"].clone();
    assert_eq!(
        (&openclaw["slack"], &openclaw["forge"]["transport"]),
        (&process(placeholder), &json!("streamable-http"))
    );
    assert!(scene.get("deployment?for=hermes").await["document"]["mcp_servers"]["slack"].is_object());
    let wrong = scene.bench.get(&scene.admin, &format!("{}/deployment?for=yaml", scene.agent)).await;
    assert_eq!(wrong.problem(), (400, "query_invalid".to_owned()));
}

#[actix_web::test]
async fn a_server_that_lacks_a_field_is_left_out_and_says_so() {
    let scene = Scene::start().await;
    let body = json!({ "provider": "slack", "token": "good-token" });
    scene.bench.post(&scene.admin, &format!("{}/integrations", scene.agent), &body).await;
    let put = scene.put(&json!({ "providers": ["slack"] })).await;
    assert_eq!((&put["enabled"], &put["redeployRequired"]), (&json!(["slack"]), &json!(false)));
    let shown = scene.get("deployment").await;
    assert_eq!(shown["omitted"], json!([{ "provider": "slack", "field": "channel" }]));
    assert_eq!(shown["mcpServers"], json!({}));
}

#[actix_web::test]
async fn credentials_are_opened_once_for_each_change() {
    let scene = Scene::start().await;
    let integration = scene.bench.slack(&scene.admin, &scene.agent).await;
    scene.get("mcp-servers").await;
    scene.get("sync").await;
    assert_eq!(scene.openings().await, 0, "nothing is switched on");
    scene.put(&json!({ "providers": ["slack"] })).await;
    scene.get("deployment").await;
    scene.get("sync").await;
    assert_eq!(scene.openings().await, 1);
    scene.bench.patch(&scene.admin, &integration, &json!({ "token": "rotated-token" })).await;
    scene.get("sync").await;
    scene.get("sync").await;
    assert_eq!(scene.openings().await, 2);
}

#[actix_web::test]
async fn a_redeploy_under_way_is_seen_and_not_doubled() {
    let scene = Scene::start().await;
    let redeploy = format!("{}/redeploy", scene.agent);
    for _ in 0..3 {
        assert_eq!(scene.bench.post(&scene.admin, &redeploy, &json!({})).await.status, 202);
    }
    let deployment = scene.get("sync").await["deployment"].clone();
    assert_eq!((&deployment["state"], &deployment["redeploy_required"]), (&json!("pending"), &json!(false)));
    assert!(deployment["next_attempt_at"].is_string(), "{deployment}");
    let claims = scene.bench.memory.claim(10, Duration::from_secs(15), scene.bench.clock.now()).await.unwrap();
    assert_eq!(claims.len(), 1);
}

#[actix_web::test]
async fn what_somebody_else_owns_does_not_exist() {
    let scene = Scene::start().await;
    let scopes: Vec<Scope> = Scope::ALL.iter().copied().filter(|scope| *scope != Scope::Admin).collect();
    let stranger = scene.bench.token_in("elsewhere", &scopes).await;
    let body = json!({ "providers": [] });
    for (method, path) in [("GET", "mcp-servers"), ("PUT", "mcp-servers"), ("GET", "deployment"), ("POST", "redeploy")]
    {
        let path = format!("{}/{path}", scene.agent);
        let answer = match method {
            "GET" => scene.bench.get(&stranger, &path).await,
            "PUT" => scene.bench.put(&stranger, &path, &body).await,
            _ => scene.bench.post(&stranger, &path, &body).await,
        };
        assert_eq!(answer.problem(), (404, "agent_not_found".to_owned()), "{method} {path}");
    }
}
