//! Agents.

use nora_kernel::Scope;
use serde_json::{Value, json};

use crate::support::{Bench, Parts, agent_body};

const PAGE_ID: &str = "a1b2c3d4-e5f6-7890-abcd-ef1234567890";

fn openclaw(url: &str) -> Value {
    json!({
        "name": "Claw",
        "runtime": { "kind": "openclaw" },
        "gateway": { "url": url, "token": "GATEWAY-TOKEN" },
    })
}

#[actix_web::test]
async fn an_agent_is_registered_read_changed_and_deleted() {
    let bench = Bench::start();
    let admin = bench.admin().await;
    let created = bench.post(&admin, "/api/agents", &agent_body()).await;
    let record = created.json();
    let path = format!("/api/agents/{}", record["id"].as_str().unwrap());
    assert_eq!((created.status, created.header("location")), (201, Some(path.as_str())));
    assert_eq!(record["runtime"], json!({ "kind": "nora", "url": "http://10.0.0.7:9090/" }));
    assert_eq!((record["workspace"].as_str(), record.get("gateway")), (Some("default"), None));
    assert_eq!(bench.get(&admin, &path).await.json(), record);
    assert_eq!(bench.get(&admin, "/api/agents").await.json(), json!([record]));

    let renamed = bench.patch(&admin, &path, &json!({ "name": "Renamed" })).await;
    assert_eq!((renamed.status, renamed.json()["name"].as_str()), (200, Some("Renamed")));
    assert_eq!(bench.get(&admin, &path).await.json(), renamed.json());

    assert_eq!(bench.delete(&admin, &path).await.json(), json!({ "success": true }));
    assert_eq!(bench.get(&admin, &path).await.problem(), (404, "agent_not_found".to_owned()));
    assert_eq!(bench.delete(&admin, &path).await.problem(), (404, "agent_not_found".to_owned()));
}

#[actix_web::test]
async fn tokens_go_in_and_never_come_out() {
    let bench = Bench::start();
    let admin = bench.admin().await;
    let created = bench.post(&admin, "/api/agents", &openclaw("ws://10.0.0.7:18789")).await;
    assert_eq!(created.status, 201, "{created:?}");
    let record = created.json();
    assert_eq!(record["runtime"], json!({ "kind": "openclaw", "url": null }));
    assert_eq!(record["gateway"]["url"], "ws://10.0.0.7:18789/");
    assert_eq!(record["gateway"].as_object().unwrap().len(), 2, "address and device id");
    let path = format!("/api/agents/{}", record["id"].as_str().unwrap());
    let body = json!({ "gateway": { "token": "SECOND-TOKEN" }, "runtime": { "token": "RUNTIME-TOKEN" } });
    let changed = bench.patch(&admin, &path, &body).await;
    assert_eq!(changed.status, 200, "{changed:?}");
    for answer in [created, changed, bench.get(&admin, &path).await, bench.get(&admin, "/api/agents").await] {
        assert!(!answer.text().contains("-TOKEN"), "{answer:?}");
    }
    let gone = bench.patch(&admin, &path, &json!({ "gateway": null })).await;
    assert_eq!(gone.problem(), (400, "body_invalid".to_owned()), "an openclaw runtime needs its gateway");
    assert_eq!(gone.pointers(), ["/gateway"]);
}

#[actix_web::test]
async fn an_address_moves_with_its_token() {
    let bench = Bench::start();
    let admin = bench.admin().await;
    let path = bench.agent(&admin).await;
    let alone = bench.patch(&admin, &path, &json!({ "runtime": { "url": "http://10.0.0.8:9090" } })).await;
    assert_eq!(alone.problem(), (400, "token_required".to_owned()));
    assert_eq!(alone.pointers(), ["/runtime/token"]);
    let body = json!({ "runtime": { "url": "http://10.0.0.8:9090", "token": "OTHER-TOKEN" } });
    let moved = bench.patch(&admin, &path, &body).await;
    assert_eq!(moved.json()["runtime"]["url"], "http://10.0.0.8:9090/");
}

#[actix_web::test]
async fn refusals_say_where() {
    let bench = Bench::start();
    let admin = bench.admin().await;
    let with = |runtime: Value| json!({ "name": "x", "runtime": runtime });
    let cases = [
        (with(json!({ "kind": "nora", "token": "t" })), "body_invalid", "/runtime/url"),
        (with(json!({ "kind": "nora", "url": "http://10.0.0.1:9090" })), "body_invalid", "/runtime/token"),
        (
            with(json!({ "kind": "nora", "url": "http://10.0.0.1:9090", "token": "a\nb" })),
            "body_invalid",
            "/runtime/token",
        ),
        (with(json!({ "kind": "sidecar", "url": "http://u@10.0.0.1:9090" })), "body_invalid", "/runtime/url"),
        (with(json!({ "kind": "sidecar", "url": "ftp://10.0.0.1" })), "body_invalid", "/runtime/url"),
        (
            with(json!({ "kind": "sidecar", "url": "http://169.254.169.254" })),
            "runtime_address_refused",
            "/runtime/url",
        ),
        (with(json!({ "kind": "sidecar", "url": "http://1.1.1.1:8080" })), "runtime_address_refused", "/runtime/url"),
        (with(json!({ "kind": "openclaw" })), "body_invalid", "/gateway"),
        (
            json!({ "name": "x", "runtime": { "kind": "openclaw" },
                    "gateway": { "url": "ws://10.0.0.1:18789", "token": "t", "device_key": "beef" } }),
            "body_invalid",
            "/gateway/device_key",
        ),
    ];
    for (body, code, pointer) in cases {
        let answer = bench.post(&admin, "/api/agents", &body).await;
        assert_eq!((answer.problem(), answer.pointers()), ((400, code.to_owned()), vec![pointer.to_owned()]), "{body}");
    }
    assert_eq!(bench.get(&admin, "/api/agents").await.json(), json!([]));
}

#[actix_web::test]
async fn an_id_and_a_gateway_belong_to_one_agent() {
    let bench = Bench::start();
    let admin = bench.admin().await;
    let mut body = agent_body();
    body["id"] = json!(PAGE_ID);
    let created = bench.post(&admin, "/api/agents", &body).await;
    assert_eq!((created.status, created.json()["id"].as_str()), (201, Some(PAGE_ID)));
    assert_eq!(bench.post(&admin, "/api/agents", &body).await.problem(), (409, "agent_exists".to_owned()));
    let elsewhere = bench.token_in("elsewhere", &[Scope::AgentsWrite, Scope::IntegrationsWrite]).await;
    assert_eq!(bench.post(&elsewhere, "/api/agents", &body).await.problem(), (409, "agent_exists".to_owned()));

    assert_eq!(bench.post(&admin, "/api/agents", &openclaw("ws://10.0.0.7:18789")).await.status, 201);
    let taken = bench.post(&admin, "/api/agents", &openclaw("ws://10.0.0.7:18789/other")).await;
    assert_eq!(taken.problem(), (409, "gateway_taken".to_owned()));
}

#[actix_web::test]
async fn another_workspace_is_admin_s_to_name() {
    let bench = Bench::start();
    let admin = bench.admin().await;
    let writer = bench.token(&[Scope::AgentsRead, Scope::AgentsWrite, Scope::IntegrationsWrite]).await;
    let mut body = agent_body();
    body["workspace"] = json!("elsewhere");
    let refused = bench.post(&writer, "/api/agents", &body).await;
    assert_eq!(refused.problem(), (403, "workspace_forbidden".to_owned()));
    assert_eq!(bench.post(&admin, "/api/agents", &body).await.json()["workspace"], "elsewhere");
    assert_eq!(bench.get(&admin, "/api/agents").await.json(), json!([]));
    let listed = bench.get(&admin, "/api/agents?workspace=elsewhere").await.json();
    assert_eq!(listed.as_array().unwrap().len(), 1);
    let listed = bench.get(&writer, "/api/agents?workspace=elsewhere").await;
    assert_eq!(listed.problem(), (403, "workspace_forbidden".to_owned()));
    assert_eq!(bench.get(&writer, "/api/agents?workspace=default").await.json(), json!([]));
}

/// Everything about somebody else's agent is answered as if there were none, byte for byte.
#[actix_web::test]
async fn a_foreign_agent_is_a_missing_agent() {
    let bench = Bench::start();
    let admin = bench.admin().await;
    let foreign = bench.agent(&admin).await;
    let integration = bench.slack(&admin, &foreign).await;
    let missing = "/api/agents/00000000-0000-7000-8000-00000000dead".to_owned();
    let scopes: Vec<Scope> = Scope::ALL.iter().copied().filter(|scope| *scope != Scope::Admin).collect();
    let stranger = bench.token_in("elsewhere", &scopes).await;
    let id = integration.rsplit_once('/').unwrap().1;
    let body = json!({ "provider": "slack", "token": "good-token" });
    for suffix in ["", "/sync", "/integrations", &format!("/integrations/{id}")] {
        let (one, other) = (format!("{foreign}{suffix}"), format!("{missing}{suffix}"));
        let answers = [
            (bench.get(&stranger, &one).await, bench.get(&stranger, &other).await),
            (bench.patch(&stranger, &one, &json!({})).await, bench.patch(&stranger, &other, &json!({})).await),
            (bench.delete(&stranger, &one).await, bench.delete(&stranger, &other).await),
            (bench.post(&stranger, &one, &body).await, bench.post(&stranger, &other, &body).await),
            (
                bench.post(&stranger, &format!("{one}/test"), &body).await,
                bench.post(&stranger, &format!("{other}/test"), &body).await,
            ),
        ];
        for (foreign, missing) in answers {
            assert!([404, 405].contains(&foreign.status), "{suffix}: {foreign:?}");
            assert_eq!(foreign.status, missing.status, "{suffix}");
            assert_eq!(foreign.without_request_id(), missing.without_request_id(), "{suffix}");
            let headers = |answer: &crate::support::Answer| {
                let mut names: Vec<String> = answer.headers.keys().map(ToString::to_string).collect();
                names.sort();
                names
            };
            assert_eq!(headers(&foreign), headers(&missing), "{suffix}");
        }
    }
    assert_eq!(bench.get(&admin, &integration).await.status, 200, "it is still there");
}

#[actix_web::test]
async fn a_device_key_may_be_brought_along() {
    let bench = Parts::new().build();
    let admin = bench.admin().await;
    let mut body = openclaw("wss://10.0.0.7:18789");
    body["gateway"]["device_key"] = json!("ab".repeat(32));
    let created = bench.post(&admin, "/api/agents", &body).await.json();
    let seed = "ab".repeat(32);
    assert_eq!(created["gateway"]["device_id"], format!("device-{seed}"));
    let path = format!("/api/agents/{}/device-key", created["id"].as_str().unwrap());
    let device = bench.get(&admin, &path).await.json();
    assert_eq!(device, json!({ "device_id": format!("device-{seed}"), "public_key": format!("public-{seed}") }));
}
