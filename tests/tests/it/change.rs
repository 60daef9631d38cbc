//! Labels, conflicts and changes: what a person does to connections and agents after the first day.

use e2e::{Installation, Runtime, Store, eventually, on_both_stores};
use serde_json::json;

use crate::sql::Sql;

on_both_stores!(
    labels_and_conflicts,
    changes_merge,
    a_credential_stays_with_its_destination,
    an_agent_moves,
    a_deleted_agent_leaves_nothing,
);

async fn labels_and_conflicts(store: Store) {
    let installation = Installation::new(store).await;
    let _server = installation.start().await;
    let (api, runtime) = (installation.api(), Runtime::start().await);
    let agent = api.register("Labels", &runtime).await;
    let path = format!("/api/agents/{agent}/integrations");

    let first = api.connect(&agent, json!({ "provider": "acme", "token": "one" })).await;
    let second = api.connect_acme(&agent, "team-b", "two").await;
    runtime.wait_for_env(&[("ACME_API_TOKEN", "one"), ("ACME_API_TOKEN__TEAM_B", "two")]).await;

    let again = api.post(&path, json!({ "provider": "acme", "token": "three" })).await;
    let problem = again.problem(409, "integration_exists");
    assert!(again.body.contains(&first), "it names the record: {problem}");
    for label in ["Team", "-a", "a-", "", &"a".repeat(33), "a_b"] {
        let answer = api.post(&path, json!({ "provider": "acme", "token": "t", "label": label })).await;
        assert_eq!(answer.status, 400, "{label}: {}", answer.body);
    }

    let rival = api.connect(&agent, json!({ "provider": "rival", "token": "stolen" })).await;
    api.wait_in_sync(&agent).await;
    let view = api.wait_in_sync(&agent).await;
    let conflict = |view: &serde_json::Value| {
        let variables = view["variables"].as_array().unwrap().clone();
        variables.iter().any(|found| found["name"] == "ACME_API_TOKEN" && found["state"] == "conflict")
    };
    assert!(conflict(&view), "{view}");
    runtime.wait_for_env(&[("ACME_API_TOKEN", "one"), ("ACME_API_TOKEN__TEAM_B", "two")]).await;

    assert_eq!(api.delete(&format!("{path}/{first}")).await.status, 200);
    runtime.wait_for_env(&[("ACME_API_TOKEN", "stolen"), ("ACME_API_TOKEN__TEAM_B", "two")]).await;
    let view = api.wait_in_sync(&agent).await;
    assert!(!conflict(&view), "the owner is gone: {view}");
    let list = api.get(&path).await.json(200);
    let ids: Vec<_> = list.as_array().unwrap().iter().map(|record| record["id"].as_str().unwrap()).collect();
    assert_eq!(ids, [rival, second], "newest first");
}

async fn changes_merge(store: Store) {
    let installation = Installation::new(store).await;
    let _server = installation.start().await;
    let (api, runtime) = (installation.api(), Runtime::start().await);
    let agent = api.register("Merge", &runtime).await;
    let config = json!({ "project": "apollo", "level": 3, "signing_key": "sign-1" });
    let id = api.connect(&agent, json!({ "provider": "acme", "token": "t1", "config": config })).await;
    let path = format!("/api/agents/{agent}/integrations/{id}");
    runtime.wait_for_env(&[("ACME_API_TOKEN", "t1"), ("ACME_PROJECT", "apollo"), ("ACME_SIGNING_KEY", "sign-1")]).await;

    let kept = api.patch(&path, json!({ "config": { "project": "gemini" } })).await.json(200);
    assert_eq!(kept["config"], json!({ "project": "gemini", "level": 3 }), "secrets are kept and not shown");
    runtime.wait_for_env(&[("ACME_API_TOKEN", "t1"), ("ACME_PROJECT", "gemini"), ("ACME_SIGNING_KEY", "sign-1")]).await;

    let removed = json!({ "config": { "project": null, "signing_key": null } });
    assert_eq!(api.patch(&path, removed).await.json(200)["config"], json!({ "level": 3 }));
    runtime.wait_for_env(&[("ACME_API_TOKEN", "t1")]).await;

    let both = json!({ "token": "t2", "config": { "signing_key": "sign-2" } });
    api.patch(&path, both).await.json(200);
    runtime.wait_for_env(&[("ACME_API_TOKEN", "t2"), ("ACME_SIGNING_KEY", "sign-2")]).await;

    let wrong = api.patch(&path, json!({ "config": { "level": 99 } })).await.problem(400, "config_invalid");
    assert_eq!(wrong["errors"][0]["pointer"], "/config/level");
    let unknown = api.patch(&path, json!({ "config": { "nonsense": "x" } })).await;
    unknown.problem(400, "config_invalid");
    assert_eq!(api.get(&path).await.json(200)["config"], json!({ "level": 3 }), "a refused change changes nothing");
}

async fn a_credential_stays_with_its_destination(store: Store) {
    let installation = Installation::new(store).await;
    let _server = installation.start().await;
    let (api, runtime) = (installation.api(), Runtime::start().await);
    let agent = api.register("Destination", &runtime).await;
    let config = json!({ "signing_key": "sign" });
    let id = api.connect(&agent, json!({ "provider": "acme", "token": "t", "config": config })).await;
    let path = format!("/api/agents/{agent}/integrations/{id}");

    let elsewhere = json!({ "base_url": "https://elsewhere.example" });
    let alone = api.patch(&path, json!({ "config": elsewhere })).await.problem(400, "secret_required");
    let mut pointers: Vec<_> =
        alone["errors"].as_array().unwrap().iter().map(|error| error["pointer"].as_str().unwrap()).collect();
    pointers.sort_unstable();
    assert_eq!(pointers, ["/config/signing_key", "/token"]);
    let half = json!({ "token": "t", "config": elsewhere });
    api.patch(&path, half).await.problem(400, "secret_required");

    let whole = json!({ "token": "t", "config": { "base_url": "https://elsewhere.example", "signing_key": "sign" } });
    api.patch(&path, whole).await.json(200);
    runtime.wait_for_value("ACME_URL", "https://elsewhere.example").await;
    for refused in ["http://169.254.169.254", "https://10.0.0.1", "https://a@b.example", "ftp://acme.example"] {
        let body = json!({ "provider": "acme", "label": "r", "token": "t", "config": { "base_url": refused } });
        let answer = api.post(&format!("/api/agents/{agent}/integrations"), body).await;
        answer.problem(400, "config_invalid");
    }
}

async fn an_agent_moves(store: Store) {
    let installation = Installation::new(store).await;
    let _server = installation.start().await;
    let api = installation.api();
    let (old, new) = (Runtime::start().await, Runtime::start().await);
    let agent = api.register("Mover", &old).await;
    api.connect(&agent, json!({ "provider": "acme", "token": "t" })).await;
    old.wait_for_env(&[("ACME_API_TOKEN", "t")]).await;

    let path = format!("/api/agents/{agent}");
    let alone = json!({ "runtime": { "url": new.url() } });
    api.patch(&path, alone).await.problem(400, "token_required");
    let whole = json!({ "name": "Moved", "runtime": { "url": new.url(), "token": new.token() } });
    let moved = api.patch(&path, whole).await.json(200);
    assert_eq!(moved["name"], "Moved");

    new.wait_for_env(&[("ACME_API_TOKEN", "t")]).await;
    old.wait_for_env(&[]).await;
    assert!(old.handle().integrations().is_empty());
    let sql = Sql::open(&installation);
    let what = "the old address forgotten";
    eventually(what, async || (sql.count("SELECT count(*) FROM sync_targets").await == 1).then_some(())).await;
}

async fn a_deleted_agent_leaves_nothing(store: Store) {
    let installation = Installation::new(store).await;
    let _server = installation.start().await;
    let (api, mut runtime) = (installation.api(), Runtime::start().await);
    let agent = api.register("Gone", &runtime).await;
    api.connect(&agent, json!({ "provider": "acme", "token": "t" })).await;
    runtime.wait_for_env(&[("ACME_API_TOKEN", "t")]).await;
    let sql = Sql::open(&installation);

    runtime.handle().faults().always(e2e::faults::Route::Sync, e2e::faults::Fault::status(500));
    let path = format!("/api/agents/{agent}");
    assert_eq!(api.delete(&path).await.json(200), json!({ "success": true }));
    for gone in [path.clone(), format!("{path}/sync"), format!("{path}/integrations")] {
        api.get(&gone).await.problem(404, "agent_not_found");
    }
    assert_eq!(sql.count("SELECT count(*) FROM agents").await, 1, "the key is kept until the purge is confirmed");

    runtime.stop().await;
    runtime.restart().await;
    let empty = async || {
        let mut rows = 0;
        for table in ["agents", "integrations", "sync_targets", "removals"] {
            rows += sql.count(&format!("SELECT count(*) FROM {table}")).await;
        }
        (rows == 0).then_some(())
    };
    eventually("every row of the agent destroyed, its data key with it", empty).await;
    assert!(runtime.env().is_empty());
    let audit = api.get("/api/audit").await.json(200);
    assert!(audit.as_array().unwrap().iter().any(|line| line["action"] == "runtime.purged"), "{audit}");
}
