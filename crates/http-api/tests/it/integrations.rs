//! An agent's integrations.

use serde_json::{Value, json};

use crate::support::{Bench, slack_body};

#[actix_web::test]
async fn an_integration_is_connected_read_changed_and_removed() {
    let bench = Bench::start();
    let admin = bench.admin().await;
    let agent = bench.agent(&admin).await;
    let list = format!("{agent}/integrations");
    let created = bench.post(&admin, &list, &slack_body()).await;
    let record = created.json();
    let path = format!("{list}/{}", record["id"].as_str().unwrap());
    assert_eq!((created.status, created.header("location")), (201, Some(path.as_str())));
    assert_eq!(agent, format!("/api/agents/{}", record["agent_id"].as_str().unwrap()));
    let shown = json!([record["provider"], record["catalog_id"], record["label"], record["config"], record["status"]]);
    assert_eq!(shown, json!(["slack", "slack", "default", { "channel": "#alerts" }, "active"]));
    assert_eq!(bench.get(&admin, &path).await.json(), record);
    assert_eq!(bench.get(&admin, &list).await.json(), json!([record]));

    let body = json!({ "config": { "channel": null, "signing_secret": "CANARY-SECRET" }, "token": "CANARY-TOKEN" });
    let changed = bench.patch(&admin, &path, &body).await;
    assert_eq!((changed.status, &changed.json()["config"]), (200, &json!({})));
    assert!(!changed.text().contains("CANARY"));
    assert_eq!(bench.get(&admin, &path).await.json(), changed.json());

    assert_eq!(bench.delete(&admin, &path).await.json(), json!({ "success": true }));
    for answer in [bench.get(&admin, &path).await, bench.delete(&admin, &path).await] {
        assert_eq!(answer.problem(), (404, "integration_not_found".to_owned()));
    }
    assert_eq!(bench.get(&admin, &list).await.json(), json!([]));
}

#[actix_web::test]
async fn a_provider_is_connected_once_under_one_label() {
    let bench = Bench::start();
    let admin = bench.admin().await;
    let agent = bench.agent(&admin).await;
    let list = format!("{agent}/integrations");
    let first = bench.post(&admin, &list, &slack_body()).await.json();
    let again = bench.post(&admin, &list, &slack_body()).await;
    assert_eq!(again.problem(), (409, "integration_exists".to_owned()));
    assert_eq!(again.json()["integration_id"], first["id"], "it names the record");
    assert!(again.json()["detail"].as_str().unwrap().contains(first["id"].as_str().unwrap()));
    let mut other = slack_body();
    other["label"] = json!("prod-eu");
    let second = bench.post(&admin, &list, &other).await.json();
    assert_eq!(second["label"], "prod-eu");
    assert_eq!(bench.get(&admin, &list).await.json(), json!([second, first]), "newest first");
}

#[actix_web::test]
async fn an_integration_belongs_to_its_agent_alone() {
    let bench = Bench::start();
    let admin = bench.admin().await;
    let (one, other) = (bench.agent(&admin).await, bench.agent(&admin).await);
    let path = bench.slack(&admin, &one).await;
    let misplaced = path.replace(&one, &other);
    for answer in [
        bench.get(&admin, &misplaced).await,
        bench.delete(&admin, &misplaced).await,
        bench.patch(&admin, &misplaced, &json!({ "token": "x" })).await,
        bench.post(&admin, &format!("{misplaced}/test"), &json!({})).await,
    ] {
        assert_eq!(answer.problem(), (404, "integration_not_found".to_owned()));
    }
    assert_eq!(bench.get(&admin, &path).await.status, 200);
}

#[actix_web::test]
async fn moving_a_credential_needs_every_secret_again() {
    let bench = Bench::start();
    let admin = bench.admin().await;
    let agent = bench.agent(&admin).await;
    let forge = |url: &str| json!({ "base_url": url, "user": "me" });
    let body = json!({ "provider": "forge", "token": "PASSWORD", "config": forge("https://forge.example") });
    let created = bench.post(&admin, &format!("{agent}/integrations"), &body).await;
    assert_eq!(created.status, 201, "{created:?}");
    let path = created.header("location").unwrap().to_owned();

    let config = json!({ "config": { "base_url": "https://other.example" } });
    let alone = bench.patch(&admin, &path, &config).await;
    assert_eq!((alone.problem(), alone.pointers()), ((400, "secret_required".to_owned()), vec!["/token".to_owned()]));
    assert_eq!(bench.get(&admin, &path).await.json()["config"], forge("https://forge.example"));
    let both = json!({ "config": { "base_url": "https://other.example" }, "token": "OTHER" });
    assert_eq!(bench.patch(&admin, &path, &both).await.json()["config"], forge("https://other.example"));
    let elsewhere = json!({ "config": { "user": "you" } });
    assert_eq!(bench.patch(&admin, &path, &elsewhere).await.json()["config"]["user"], "you");
}

#[actix_web::test]
async fn what_would_be_wrong_as_a_whole_is_refused_with_pointers() {
    let bench = Bench::start();
    let admin = bench.admin().await;
    let agent = bench.agent(&admin).await;
    let path = bench.slack(&admin, &agent).await;
    let check = async |body: Value, pointer: &str| {
        let answer = bench.patch(&admin, &path, &body).await;
        assert_eq!(answer.problem(), (400, "config_invalid".to_owned()), "{body}");
        assert!(answer.pointers().iter().all(|place| place == pointer), "{body}: {answer:?}");
    };
    check(json!({ "config": { "channel": 7 } }), "/config/channel").await;
    check(json!({ "config": { "nothing": "x" } }), "/config").await;
    check(json!({ "token": "a\nb" }), "/token").await;
    check(json!({ "config": { "signing_secret": "a\u{0}b" } }), "/config/signing_secret").await;
    assert_eq!(bench.patch(&admin, &path, &json!({})).await.status, 200, "nothing to change is no error");
}

#[actix_web::test]
async fn the_page_s_curl_line_works_as_printed() {
    let bench = Bench::start();
    let admin = bench.admin().await;
    let agent = json!({
        "id": "a1b2c3d4-e5f6-7890-abcd-ef1234567890",
        "name": "The page's",
        "runtime": { "kind": "sidecar", "url": "http://10.0.0.1:9090" },
    });
    assert_eq!(bench.post(&admin, "/api/agents", &agent).await.status, 201);
    let body = json!({ "provider": "slack", "token": "xoxb-your-slack-bot-token", "config": { "channel": "#alerts" } });
    let list = "/api/agents/a1b2c3d4-e5f6-7890-abcd-ef1234567890/integrations";
    let record = bench.post(&admin, list, &body).await.json();
    for (field, expected) in [("agent_id", "a1b2c3d4-e5f6-7890-abcd-ef1234567890"), ("status", "active")] {
        assert_eq!(record[field], expected);
    }
    assert!(!record.to_string().contains("xoxb"));
}
