//! Who may do what, and what is written down about it.

use std::collections::BTreeSet;
use std::time::Duration;

use e2e::{Api, Installation, Runtime, Store, eventually, on_both_stores};
use reqwest::Method;
use serde_json::{Value, json};

on_both_stores!(
    scopes_are_needed,
    a_revoked_key_is_dead,
    tenants_do_not_see_each_other,
    changes_are_written_down,
    old_lines_are_deleted_only_where_it_is_said,
);

const NOBODY: &str = "018f0000-0000-7000-8000-000000000000";

/// Every route with the scopes it needs.
fn routes(agent: &str, id: &str) -> Vec<(Method, String, Vec<&'static str>, Option<Value>)> {
    let agent = format!("/api/agents/{agent}");
    let one = format!("{agent}/integrations/{id}");
    let nowhere = format!("http://127.0.0.1:{}", e2e::free_port());
    let place = json!({ "kind": "nora", "url": nowhere, "token": "t" });
    vec![
        (Method::GET, "/api/agents".to_owned(), vec!["agents:read"], None),
        (Method::GET, agent.clone(), vec!["agents:read"], None),
        (Method::GET, format!("{agent}/sync"), vec!["agents:read"], None),
        (Method::POST, format!("{agent}/sync"), vec!["agents:write"], None),
        (Method::PATCH, agent.clone(), vec!["agents:write"], Some(json!({ "name": "Renamed" }))),
        (
            Method::POST,
            "/api/agents".to_owned(),
            vec!["agents:write", "integrations:write"],
            Some(json!({ "name": "New", "runtime": place })),
        ),
        (Method::GET, format!("{agent}/integrations"), vec!["integrations:read"], None),
        (Method::GET, one.clone(), vec!["integrations:read"], None),
        (Method::PATCH, one.clone(), vec!["integrations:write"], Some(json!({ "config": {} }))),
        (Method::POST, format!("{one}/test"), vec!["integrations:write"], None),
        (
            Method::POST,
            format!("{agent}/integrations/test"),
            vec!["integrations:write"],
            Some(json!({ "provider": "acme", "token": "t", "config": { "base_url": nowhere } })),
        ),
        (
            Method::POST,
            format!("{agent}/integrations"),
            vec!["integrations:write"],
            Some(json!({ "provider": "acme", "label": "more", "token": "t" })),
        ),
        (Method::DELETE, one, vec!["integrations:write"], None),
        (Method::GET, "/api/keys".to_owned(), vec!["keys:read"], None),
        (Method::GET, "/api/audit".to_owned(), vec!["audit:read"], None),
        (Method::DELETE, agent, vec!["agents:write"], None),
    ]
}

const SCOPES: [&str; 8] = [
    "integrations:read",
    "integrations:write",
    "agents:read",
    "agents:write",
    "channels:read",
    "keys:read",
    "keys:write",
    "audit:read",
];

async fn key(api: &Api, scopes: &[&str]) -> (Api, String) {
    let made = api.post("/api/keys", json!({ "name": scopes.join(" "), "scopes": scopes })).await.json(201);
    (api.with_token(made["key"].as_str().unwrap()), made["id"].as_str().unwrap().to_owned())
}

async fn scopes_are_needed(store: Store) {
    let installation = Installation::new(store).await;
    let _server = installation.start().await;
    let (api, runtime) = (installation.api(), Runtime::start().await);
    let agent = api.register("Scoped", &runtime).await;
    let id = api.connect_acme(&agent, "default", "t").await;
    let nobody = api.with_token("");
    let (kept, last) = api.token().split_at(api.token().len() - 1);
    let forged = api.with_token(format!("{kept}{}", if last == "x" { "y" } else { "x" }));
    for (method, path, needed, body) in routes(&agent, &id) {
        for intruder in [&nobody, &forged] {
            let refused = intruder.send(method.clone(), &path, &[], body.clone()).await.unwrap();
            assert_eq!(refused.status, 401, "{method} {path}: {}", refused.body);
            assert!(refused.header("www-authenticate").starts_with("Bearer"), "{:?}", refused.headers);
        }
        for missing in &needed {
            let scopes: Vec<&str> = SCOPES.into_iter().filter(|scope| scope != missing).collect();
            let (limited, _) = key(&api, &scopes).await;
            let refused = limited.send(method.clone(), &path, &[], body.clone()).await.unwrap();
            let problem = refused.problem(403, "scope_missing");
            assert!(problem["detail"].as_str().unwrap().contains(missing), "{method} {path}: {problem}");
        }
        let (holder, _) = key(&api, &needed).await;
        let allowed = holder.send(method.clone(), &path, &[], body).await.unwrap();
        assert!((200..300).contains(&allowed.status), "{method} {path}: {}", allowed.body);
    }
    let (maker, _) = key(&api, &["keys:write", "agents:read"]).await;
    let greedy = json!({ "name": "g", "scopes": ["agents:write"] });
    assert_eq!(maker.post("/api/keys", greedy).await.status, 403, "no key gives what its holder lacks");
    let (_, strong) = key(&api, &["agents:write"]).await;
    let revoked = maker.delete(&format!("/api/keys/{strong}")).await;
    assert!(matches!(revoked.status, 403 | 404), "nor takes it away: {}", revoked.body);
}

async fn a_revoked_key_is_dead(store: Store) {
    let installation = Installation::new(store).await;
    let server = installation.start().await;
    let api = installation.api();
    let (holder, id) = key(&api, &["agents:read"]).await;
    assert_eq!(holder.get("/api/agents").await.status, 200);
    assert_eq!(api.delete(&format!("/api/keys/{id}")).await.status, 200);
    assert_eq!(holder.get("/api/agents").await.status, 401, "refused from the next request on");
    assert_eq!(api.delete(&format!("/api/keys/{id}")).await.status, 404);
    server.kill().await;
    let _server = installation.start().await;
    assert_eq!(holder.get("/api/agents").await.status, 401);

    let past = json!({ "name": "past", "scopes": ["agents:read"], "expires_at": "2020-01-01T00:00:00Z" });
    let made = api.post("/api/keys", past).await;
    if made.status == 201 {
        let expired = api.with_token(made.json(201)["key"].as_str().unwrap());
        assert_eq!(expired.get("/api/agents").await.status, 401);
    } else {
        assert_eq!(made.status, 400, "{}", made.body);
    }
    for bad in ["", "nora_", "Bearer x", "nora_AAAAAAAAAAAA_BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBcccccc"] {
        let header = format!("Bearer {bad}");
        let refused = api.send(Method::GET, "/api/agents", &[("authorization", &header)], None).await.unwrap();
        refused.problem(401, "unauthenticated");
    }
    let in_query = api.with_token("").get(&format!("/api/agents?token={}", api.token())).await;
    assert!(matches!(in_query.status, 400 | 401), "{}", in_query.body);
}

async fn tenants_do_not_see_each_other(store: Store) {
    let installation = Installation::new(store).await;
    let _server = installation.start().await;
    let (api, runtime) = (installation.api(), Runtime::start().await);
    let agent = api.register("Ours", &runtime).await;
    let id = api.connect_acme(&agent, "default", "t").await;
    let scopes: Vec<&str> = SCOPES.into_iter().collect();
    let made = json!({ "name": "theirs", "scopes": scopes, "workspace": "other" });
    let made = api.post("/api/keys", made).await.json(201);
    let stranger = api.with_token(made["key"].as_str().unwrap());

    for (method, path, _, body) in routes(&agent, &id) {
        if !path.contains(&agent) {
            continue;
        }
        let theirs = stranger.send(method.clone(), &path, &[], body.clone()).await.unwrap();
        let nowhere = path.replace(&agent, NOBODY);
        let nothing = stranger.send(method.clone(), &nowhere, &[], body.clone()).await.unwrap();
        assert_eq!(theirs.status, 404, "{method} {path}: {}", theirs.body);
        assert_eq!(without_request(&theirs.body, &agent), without_request(&nothing.body, NOBODY), "{method} {path}");
        let names = |answer: &e2e::Answer| answer.headers.keys().map(ToString::to_string).collect::<BTreeSet<_>>();
        assert_eq!(names(&theirs), names(&nothing), "{method} {path}");
    }
    assert_eq!(stranger.get("/api/agents").await.json(200), json!([]));
    let place = json!({ "kind": "nora", "url": runtime.url(), "token": "t" });
    let elsewhere = json!({ "name": "Spy", "runtime": place, "workspace": "default" });
    let refused = stranger.post("/api/agents", elsewhere).await;
    assert!(matches!(refused.status, 400 | 403), "only admin names a workspace: {}", refused.body);
    let keys = stranger.get("/api/keys").await.json(200);
    assert_eq!(keys.as_array().unwrap().len(), 1, "{keys}");
    let audit = stranger.get("/api/audit").await.json(200);
    assert!(audit.as_array().unwrap().iter().all(|line| line["workspace"] == "other"), "{audit}");
    assert_eq!(api.get(&format!("/api/agents/{agent}/integrations/{id}")).await.status, 200, "and nothing happened");
}

/// A body without what differs between any two requests.
fn without_request(body: &str, agent: &str) -> String {
    let mut problem: Value = serde_json::from_str(body).unwrap();
    problem.as_object_mut().unwrap().remove("request_id");
    problem.to_string().replace(agent, "AGENT")
}

async fn changes_are_written_down(store: Store) {
    let installation = Installation::new(store).await;
    let _server = installation.start().await;
    let (api, runtime) = (installation.api(), Runtime::start().await);
    let agent = api.register("Audited", &runtime).await;
    api.wait_in_sync(&agent).await;
    let path = format!("/api/agents/{agent}/integrations");
    let nowhere = format!("http://127.0.0.1:{}", e2e::free_port());
    let config = json!({ "signing_key": "second", "base_url": nowhere });
    let connect = api.post(&path, json!({ "provider": "acme", "token": "first", "config": config })).await;
    let id = connect.json(201)["id"].as_str().unwrap().to_owned();
    let synced = api.wait_in_sync(&agent).await["applied_generation"].as_u64().unwrap();
    api.post(&format!("{path}/{id}/test"), json!({})).await.json(200);
    api.patch(&format!("{path}/{id}"), json!({ "token": "third" })).await.json(200);
    api.wait_in_sync(&agent).await;
    api.patch(&format!("/api/agents/{agent}"), json!({ "name": "Renamed" })).await.json(200);
    api.request_sync(&agent).await;
    api.wait_in_sync(&agent).await;
    api.delete(&format!("{path}/{id}")).await.json(200);
    let (_, key_id) = key(&api, &["agents:read"]).await;
    api.delete(&format!("/api/keys/{key_id}")).await;
    runtime.handle().wait_for_generation(synced + 2).await;
    api.delete(&format!("/api/agents/{agent}")).await.json(200);

    let audit = api.get("/api/audit?limit=200").await;
    let lines = audit.json(200);
    let lines = lines.as_array().unwrap();
    let of = |action: &str| lines.iter().filter(|line| line["action"] == action).collect::<Vec<_>>();
    for (action, count) in [
        ("agent.created", 1),
        ("agent.updated", 1),
        ("agent.sync_requested", 1),
        ("agent.deleted", 1),
        ("integration.created", 1),
        ("integration.updated", 1),
        ("integration.deleted", 1),
        ("key.revoked", 1),
    ] {
        let found = of(action);
        assert_eq!(found.len(), count, "{action}: {found:?}");
        for line in found {
            assert_eq!(line["actor"]["kind"], "api_key", "{line}");
            assert_eq!(line["outcome"], "success", "{line}");
            assert!(line["request_id"].is_string() && line["at"].is_string(), "{line}");
        }
    }
    let created = of("integration.created")[0];
    assert_eq!(created["request_id"], connect.header("x-request-id"), "{created}");
    assert_eq!((&created["resource"]["kind"], &created["resource"]["id"]), (&json!("integration"), &json!(id)));
    assert_eq!(created["agent_id"], json!(agent));

    let opened = of("credentials.opened");
    let purpose = |wanted: &str| opened.iter().filter(|line| line["purpose"] == wanted).count();
    assert_eq!(purpose("test"), 1, "one line for a test, whatever it opens: {opened:?}");
    assert_eq!(purpose("sync"), 3, "one for each push that opened something: {opened:?}");
    for secret in ["first", "second", "third"] {
        assert!(!audit.body.contains(&format!("\"{secret}\"")), "{secret}");
    }
    let newest_first = lines.iter().map(|line| line["at"].as_str().unwrap()).collect::<Vec<_>>();
    assert!(newest_first.is_sorted_by(|later, earlier| later >= earlier), "{newest_first:?}");
}

async fn old_lines_are_deleted_only_where_it_is_said(store: Store) {
    let mut installation = Installation::new(store).await;
    let (server, api) = (installation.start().await, installation.api());
    let lines = api.get("/api/audit").await.json(200);
    assert!(!lines.as_array().unwrap().is_empty(), "the first key was made");
    server.stop().await;
    // So that the lines are older than what is kept below.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let server = installation.start().await;
    assert_eq!(api.get("/api/audit").await.json(200), lines, "they are kept");
    server.stop().await;

    installation.set("NORA_AUDIT_RETENTION", "1s");
    let _server = installation.start().await;
    eventually("the old lines gone", async || (api.get("/api/audit").await.json(200) == json!([])).then_some(())).await;
}
