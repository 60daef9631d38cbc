//! No secret comes out again: not in an answer, and not in the log, however much of it is asked for.

use serde_json::json;

use crate::support::{Answer, Bench, Log, raw_json, request, with_token};

/// Credentials in every place a request has for them, right and wrong ones.
async fn exercise(bench: &Bench, admin: &str) -> Vec<Answer> {
    let agent = json!({
        "name": "Agent",
        "runtime": { "kind": "nora", "url": "http://10.0.0.7:9090", "token": "CANARY-RUNTIME" },
        "gateway": { "url": "ws://10.0.0.7:18789", "token": "CANARY-GATEWAY", "device_key": "CANARY-NO-SEED" },
    });
    let mut answers = vec![bench.post(admin, "/api/agents", &agent).await];
    let path = bench.agent(admin).await;
    let list = format!("{path}/integrations");
    let config = json!({ "channel": "#alerts", "signing_secret": "CANARY-SIGNING" });
    let connect = json!({ "provider": "slack", "token": "CANARY-TOKEN", "config": config });
    let connected = bench.post(admin, &list, &connect).await;
    let integration = connected.header("location").unwrap().to_owned();
    answers.push(connected);
    let bodies = [
        json!({ "provider": "slack", "token": "CANARY\u{0}TOKEN" }),
        json!({ "provider": "slack", "token": ["CANARY-LIST"], "label": "CANARY LABEL" }),
        json!({ "provider": "CANARY-PROVIDER", "token": "CANARY-TOKEN" }),
        json!({ "provider": "slack", "token": "CANARY-TOKEN", "config": { "channel": ["CANARY-CHANNEL"] } }),
        json!({ "provider": "slack", "token": "CANARY-TOKEN", "config": { "unknown": "CANARY-UNKNOWN" } }),
        json!({ "provider": "forge", "token": "CANARY-TOKEN", "config": { "base_url": "https://CANARY@x", "user": "u" } }),
        json!({ "provider": "retired", "token": "CANARY-TOKEN" }),
    ];
    for body in &bodies {
        answers.push(bench.post(admin, &list, body).await);
        answers.push(bench.post(admin, &format!("{list}/test"), body).await);
        answers.push(bench.patch(admin, &integration, body).await);
        answers.push(bench.patch(admin, &path, &json!({ "runtime": { "token": body["token"] } })).await);
    }
    for body in ["CANARY", "{\"token\":\"CANARY", "{\"a\":\"CANARY\",\"a\":1}", "\"CANARY\""] {
        answers.push(bench.send(with_token(raw_json(request("POST", &list), body), admin)).await);
    }
    for path in [&path, &integration, &list, &format!("{path}/sync"), "/api/agents", "/api/keys", "/api/audit"] {
        answers.push(bench.get(admin, path).await);
    }
    answers.push(bench.post(admin, &format!("{integration}/test"), &json!({})).await);
    for key in ["CANARY-UNKNOWN-KEY", "nora_CANARYCANARY_x"] {
        answers.push(bench.get(key, &format!("/api/agents?token={key}&limit=CANARY")).await);
    }
    answers.push(bench.get(admin, "/api/agents?limit=CANARY&cursor=CANARY").await);
    answers.push(bench.get(admin, "/api/integrations/catalog/CANARY").await);
    let cookie = request("GET", "/api/CANARY").insert_header(("Cookie", "session=CANARY"));
    answers.push(bench.send(with_token(cookie, admin)).await);
    answers
}

#[actix_web::test]
async fn credentials_stay_inside() {
    let bench = Bench::start();
    let admin = bench.admin().await;
    let log = Log::capture();
    for answer in exercise(&bench, &admin).await {
        let shown = format!("{answer:?} {:?}", answer.headers);
        // A wrong limit is repeated nowhere either, though it is no secret.
        assert!(!shown.contains("CANARY") && !shown.contains(&admin), "{shown}");
    }
    let told = log.text();
    assert!(told.contains("answered"), "the log was captured");
    assert!(!told.contains("CANARY"), "{told}");
    assert!(!told.contains(&admin), "{told}");
}

/// The one answer that shows a secret shows it once.
#[actix_web::test]
async fn a_new_key_is_in_its_own_answer_alone() {
    let bench = Bench::start();
    let admin = bench.admin().await;
    let log = Log::capture();
    let body = json!({ "name": "x", "scopes": ["agents:read"] });
    let key = bench.post(&admin, "/api/keys", &body).await.json()["key"].as_str().unwrap().to_owned();
    for path in ["/api/keys", "/api/audit"] {
        assert!(!bench.get(&admin, path).await.text().contains(&key));
    }
    assert!(!log.text().contains(&key));
}
