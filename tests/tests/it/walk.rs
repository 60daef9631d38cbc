//! The reference page's calls, in the page's order, with the page's bodies.

use e2e::{Api, Installation, Runtime, Store, Stub, answer, eventually, on_both_stores};
use reqwest::Method;
use serde_json::{Value, json};

on_both_stores!(the_page, a_test_that_succeeds);

/// The page's agent.
const AGENT: &str = "a1b2c3d4-e5f6-7890-abcd-ef1234567890";

async fn the_page(store: Store) {
    let installation = Installation::new(store).await;
    let _server = installation.start().await;
    let api = installation.api();
    let runtime = Runtime::start().await;

    browse(&api).await;
    register(&api, &runtime).await;
    let id = connect(&api).await;
    runtime.wait_for_value("SLACK_BOT_TOKEN", "xoxb-your-slack-bot-token").await;
    look(&api, &runtime, &id).await;
    test(&api, &id).await;
    rotate(&api, &runtime, &id).await;
    remove(&api, &runtime, &id).await;
}

async fn browse(api: &Api) {
    let list = api.get("/api/integrations/catalog?category=communication").await.json(200);
    let list = list.as_array().unwrap();
    assert!(list.iter().all(|item| item["category"] == "communication"), "{list:?}");
    let slack = list.iter().find(|item| item["id"] == "slack").unwrap();
    check_fields(
        slack,
        &[
            ("id", "string"),
            ("name", "string"),
            ("icon", "string"),
            ("category", "string"),
            ("description", "string"),
            ("auth_type", "string"),
            ("config_schema", "object"),
            ("enabled", "boolean"),
        ],
    );
    assert_eq!(
        (&slack["name"], &slack["auth_type"], &slack["enabled"]),
        (&json!("Slack"), &json!("token"), &json!(true))
    );
    assert_eq!(slack["config_schema"]["properties"]["channel"]["type"], "string");

    let item = api.get("/api/integrations/catalog/slack").await;
    assert_eq!(item.json(200), *slack, "the list and the item are one thing");
    let known = [("if-none-match", item.header("etag"))];
    let again = api.send(Method::GET, "/api/integrations/catalog/slack", &known, None).await.unwrap();
    assert_eq!((again.status, again.body.as_str()), (304, ""));
    api.get("/api/integrations/catalog/nothing").await.problem(404, "catalog_item_not_found");
}

async fn register(api: &Api, runtime: &Runtime) {
    let place = json!({ "kind": "nora", "url": runtime.url(), "token": runtime.token() });
    let agent = json!({ "id": AGENT, "name": "Page", "runtime": place });
    let made = api.post("/api/agents", agent.clone()).await.json(201);
    assert_eq!((&made["id"], &made["workspace"]), (&json!(AGENT), &json!("default")));
    assert_eq!(made["runtime"]["kind"], "nora");
    assert!(made["runtime"].get("token").is_none(), "{made}");
    api.post("/api/agents", agent).await.problem(409, "agent_exists");
}

async fn connect(api: &Api) -> String {
    let path = format!("/api/agents/{AGENT}/integrations");
    let body = r##"{"provider":"slack","token":"xoxb-your-slack-bot-token","config":{"channel":"#alerts"}}"##;
    let json = [("content-type", "application/json")];
    let made = api.send_bytes(Method::POST, &path, &json, body.into()).await.unwrap();
    let record = made.json(201);
    check_record(&record);
    let id = record["id"].as_str().unwrap().to_owned();
    assert!(made.header("location").ends_with(&format!("{path}/{id}")), "{:?}", made.headers);
    api.post(&path, json!({ "token": "t" })).await.problem(400, "provider_missing");
    id
}

async fn look(api: &Api, runtime: &Runtime, id: &str) {
    let path = format!("/api/agents/{AGENT}/integrations");
    let list = api.get(&path).await;
    let records = list.json(200);
    assert_eq!(records.as_array().unwrap().len(), 1);
    check_record(&records[0]);
    assert_eq!(api.get(&format!("{path}/{id}")).await.json(200), records[0]);
    assert!(!list.body.contains("xoxb-your-slack-bot-token"), "{}", list.body);

    let view = api.wait_in_sync(AGENT).await;
    let live = json!({ "name": "SLACK_BOT_TOKEN", "state": "live" });
    let variables = view["variables"].as_array().unwrap();
    assert!(variables.iter().any(|variable| holds(variable, &live)), "{view}");
    assert_eq!(view["desired_generation"], view["applied_generation"]);
    assert!(view["last_synced_at"].is_string() && view["last_error"].is_null(), "{view}");

    let pushed = runtime.handle().integrations();
    assert_eq!(pushed.len(), 1);
    let expected = json!({ "id": id, "provider": "slack", "label": "default", "status": "active",
        "authType": "token", "config": { "channel": "#alerts" } });
    assert!(holds(&pushed[0], &expected), "{pushed:?}");
    assert_eq!(pushed[0]["redactedConfig"]["channel"], "#alerts");
    assert!(!pushed[0].to_string().contains("xoxb-your-slack-bot-token"), "secrets travel in env alone");
}

/// Whether Slack is out of reach or refuses the page's token, it is an answer and not an error.
async fn test(api: &Api, id: &str) {
    let result = api.post(&format!("/api/agents/{AGENT}/integrations/{id}/test"), json!({})).await.json(200);
    check_fields(&result, &[("success", "boolean"), ("message", "string"), ("verdict", "string"), ("error", "string")]);
    assert_eq!(result["success"], false);
    assert!(result["verdict"] == "unreachable" || result["verdict"] == "rejected", "{result}");
    assert_eq!(result["error"], result["message"]);
    assert!(result["checked_at"].is_string() && result["latency_ms"].is_number(), "{result}");
}

async fn rotate(api: &Api, runtime: &Runtime, id: &str) {
    let path = format!("/api/agents/{AGENT}/integrations/{id}");
    let record = api.patch(&path, json!({ "token": "xoxb-rotated" })).await.json(200);
    check_record(&record);
    runtime.wait_for_value("SLACK_BOT_TOKEN", "xoxb-rotated").await;
}

async fn remove(api: &Api, runtime: &Runtime, id: &str) {
    let held = runtime.handle().generation().unwrap();
    let path = format!("/api/agents/{AGENT}/integrations/{id}");
    assert_eq!(api.delete(&path).await.json(200), json!({ "success": true }));
    api.get(&path).await.problem(404, "integration_not_found");

    runtime.handle().wait_for_generation(held + 1).await;
    assert!(runtime.env().is_empty(), "the last credential goes like any other");
    assert!(runtime.handle().integrations().is_empty());

    let what = "a confirmed purge";
    let removed = eventually(what, async || {
        let view = api.sync(AGENT).await;
        Some(view["removed"][0].clone()).filter(|removed| removed["purge"] == "confirmed")
    });
    let removed = removed.await;
    assert_eq!((&removed["integration_id"], &removed["provider"]), (&json!(id), &json!("slack")));
    assert!(removed["names"].as_array().unwrap().contains(&json!("SLACK_BOT_TOKEN")), "{removed}");
    assert!(removed["confirmed_at"].is_string(), "{removed}");
    assert_eq!(api.get(&format!("/api/agents/{AGENT}/integrations")).await.json(200), json!([]));
}

async fn a_test_that_succeeds(store: Store) {
    let installation = Installation::new(store).await;
    let _server = installation.start().await;
    let (api, runtime) = (installation.api(), Runtime::start().await);
    let agent = api.register("Tester", &runtime).await;
    let json_type = [("content-type", "application/json")];
    let acme = Stub::start(move |request, mut stream| async move {
        let good = request.header("authorization") == "Bearer good";
        let (status, body) = if good { (200, r#"{"id":"7","name":"Ada"}"#) } else { (401, r#"{"error":"no"}"#) };
        tokio::io::AsyncWriteExt::write_all(&mut stream, &answer(status, &json_type, body)).await.unwrap();
    });
    let acme = acme.await;

    let config = json!({ "base_url": acme.url() });
    let id = api.connect(&agent, json!({ "provider": "acme", "token": "good", "config": config })).await;
    let saved = api.post(&format!("/api/agents/{agent}/integrations/{id}/test"), json!({})).await.json(200);
    let verified = json!({ "success": true, "verdict": "verified", "message": "Connected as Ada", "account": "Ada" });
    assert!(holds(&saved, &verified), "{saved}");

    let candidate = json!({ "provider": "acme", "token": "bad", "config": config });
    let path = format!("/api/agents/{agent}/integrations/test");
    let refused = api.post(&path, candidate).await.json(200);
    assert!(holds(&refused, &json!({ "success": false, "verdict": "rejected", "reason_code": "auth" })), "{refused}");
    let list = api.get(&format!("/api/agents/{agent}/integrations")).await.json(200);
    assert_eq!(list.as_array().unwrap().len(), 1, "a candidate is not saved");
}

fn check_record(record: &Value) {
    check_fields(record, &[("id", "string"), ("config", "object"), ("created_at", "string"), ("updated_at", "string")]);
    let expected = json!({ "agent_id": AGENT, "provider": "slack", "catalog_id": "slack",
        "config": { "channel": "#alerts" }, "status": "active", "label": "default" });
    assert!(holds(record, &expected), "{record}");
    assert!(record.get("token").is_none(), "{record}");
}

#[track_caller]
fn check_fields(object: &Value, fields: &[(&str, &str)]) {
    for (name, kind) in fields {
        let found = match &object[*name] {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        assert_eq!(found, *kind, "{name}: {object}");
    }
}

/// Whether every member of `expected` is in `object`.
fn holds(object: &Value, expected: &Value) -> bool {
    expected.as_object().unwrap().iter().all(|(name, value)| object[name] == *value)
}
