//! Channels: making, changing, rotating and removing them.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Bench, request};
use crate::webhooks::{BODY, OTHER_SECRET, OTHER_SIGNATURE, SECRET, SIGNATURE, channel, keyed, open};

async fn status_of(bench: &Bench, url: &str, signature: &str) -> u16 {
    let request = request("POST", url).insert_header(("X-Webhook-Signature", signature)).set_payload(BODY);
    bench.send(request).await.status
}

#[actix_web::test]
async fn a_channel_is_made_read_changed_and_removed() {
    let bench = Bench::start();
    let admin = bench.admin().await;
    let agent = bench.agent(&admin).await;
    let list = format!("{agent}/channels");
    let body = json!({
        "type": "webhook", "name": "Deploys",
        "config": { "signing_secret": SECRET, "header": "X-Deploy-Signature", "prefix": "sha256=" }
    });
    let created = bench.post(&admin, &list, &body).await;
    let record = created.json();
    let path = format!("{list}/{}", record["id"].as_str().unwrap());
    assert_eq!((created.status, created.header("location")), (201, Some(path.as_str())));
    assert!(!created.text().contains(SECRET), "{created:?}");
    let shown = json!([
        record["type"],
        record["name"],
        record["config"],
        record["verification"],
        record["enabled"],
        record["paused"]
    ]);
    let config = json!({ "header": "X-Deploy-Signature", "prefix": "sha256=" });
    assert_eq!(shown, json!(["webhook", "Deploys", config, "secret", true, false]));
    let url = format!("https://nora.example/api/webhooks/{}", record["id"].as_str().unwrap());
    assert_eq!(record["webhook_url"], url);
    assert_eq!(bench.get(&admin, &path).await.json(), record);
    assert_eq!(bench.get(&admin, &list).await.json(), json!([record]));

    let change = json!({ "name": "Releases", "paused": true, "config": { "prefix": null } });
    let changed = bench.patch(&admin, &path, &change).await.json();
    assert_eq!(
        json!([changed["name"], changed["paused"], changed["config"]]),
        json!(["Releases", true, { "header": "X-Deploy-Signature" }])
    );
    assert_eq!(bench.get(&admin, &path).await.json(), changed);

    assert_eq!(bench.delete(&admin, &path).await.json(), json!({ "success": true }));
    for answer in [bench.get(&admin, &path).await, bench.delete(&admin, &path).await] {
        assert_eq!(answer.problem(), (404, "channel_not_found".to_owned()));
    }
}

#[actix_web::test]
async fn verification_fails_closed() {
    let bench = Bench::start();
    let admin = bench.admin().await;
    let list = format!("{}/channels", bench.agent(&admin).await);
    let cases: [(Value, &str, &str); 11] = [
        (json!({}), "channel_type_missing", "/type"),
        (json!({ "type": "carrier-pigeon" }), "channel_type_unknown", "/type"),
        (json!({ "type": "retired", "verification": "none" }), "channel_type_unknown", "/type"),
        (json!({ "type": "webhook" }), "verification_required", "/config/signing_secret"),
        (
            json!({ "type": "webhook", "config": { "signing_secret": "" } }),
            "verification_required",
            "/config/signing_secret",
        ),
        (
            json!({ "type": "webhook", "config": { "signing_secret": "too short" } }),
            "config_invalid",
            "/config/signing_secret",
        ),
        (
            json!({ "type": "forge", "config": { "signing_secret": "changeme" } }),
            "config_invalid",
            "/config/signing_secret",
        ),
        (json!({ "type": "webhook", "verification": "handshake" }), "config_invalid", "/verification"),
        (
            json!({ "type": "webhook", "verification": "none", "config": { "signing_secret": SECRET } }),
            "config_invalid",
            "/verification",
        ),
        (
            json!({ "type": "webhook", "verification": "none", "config": { "colour": "red" } }),
            "config_invalid",
            "/config/colour",
        ),
        (
            json!({ "type": "webhook", "verification": "none", "config": { "header": "a b" } }),
            "config_invalid",
            "/config/header",
        ),
    ];
    for (body, code, pointer) in cases {
        let answer = bench.post(&admin, &list, &body).await;
        assert_eq!((answer.problem(), answer.pointers()), ((400, code.to_owned()), vec![pointer.to_owned()]), "{body}");
    }
    let misspelt = bench.post(&admin, &list, &json!({ "type": "webhook", "verification": "off" })).await;
    assert_eq!(misspelt.problem(), (400, "body_invalid".to_owned()));
    assert_eq!(bench.get(&admin, &list).await.json(), json!([]));
}

#[actix_web::test]
async fn a_runtime_that_takes_no_events_gets_no_channel() {
    let bench = Bench::start();
    let admin = bench.admin().await;
    let hermes =
        json!({ "name": "Hermes", "runtime": { "kind": "hermes", "url": "http://10.0.0.8:9119", "token": "t" } });
    let gateway = json!({
        "name": "Gateway", "runtime": { "kind": "openclaw" }, "gateway": { "url": "ws://10.0.0.9:18789", "token": "t" }
    });
    for agent in [hermes, gateway] {
        let made = bench.post(&admin, "/api/agents", &agent).await;
        let list = format!("{}/channels", made.header("location").unwrap_or_else(|| panic!("{made:?}")));
        let answer = bench.post(&admin, &list, &open()).await;
        assert_eq!(answer.problem(), (409, "runtime_cannot_receive".to_owned()), "{agent}");
    }
}

#[actix_web::test]
async fn a_repeated_request_makes_one_channel() {
    let bench = Bench::start();
    let admin = bench.admin().await;
    let list = format!("{}/channels", bench.agent(&admin).await);
    let send = |body: Value| {
        let request = actix_web::test::TestRequest::post().uri(&list).insert_header(("Idempotency-Key", "once"));
        crate::support::with_token(request.set_json(body), &admin)
    };
    let first = bench.send(send(keyed())).await;
    let again = bench.send(send(keyed())).await;
    assert_eq!((first.json(), again.header("idempotency-replayed")), (again.json(), Some("true")));
    assert_eq!(bench.send(send(open())).await.problem(), (409, "idempotency_mismatch".to_owned()));
    assert_eq!(bench.get(&admin, &list).await.json().as_array().unwrap().len(), 1);
}

#[actix_web::test]
async fn a_new_secret_verifies_at_once_and_the_old_one_for_a_while() {
    let bench = Bench::start();
    let admin = bench.admin().await;
    let (path, url) = channel(&bench, &admin, &keyed()).await;
    assert_eq!(status_of(&bench, &url, SIGNATURE).await, 200);
    let body = json!({ "signing_secret": OTHER_SECRET, "expires_in": 60 });
    let answer = bench.post(&admin, &format!("{path}/secrets"), &body).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    assert!(!answer.text().contains(OTHER_SECRET));
    let secrets = answer.json()["secrets"].as_array().unwrap().clone();
    assert_eq!((secrets.len(), &secrets[0]["expires_at"]), (2, &Value::Null), "newest first");
    assert!(secrets[1]["expires_at"].is_string());

    assert_eq!((status_of(&bench, &url, OTHER_SIGNATURE).await, status_of(&bench, &url, SIGNATURE).await), (200, 200));
    bench.clock.advance(Duration::from_mins(1));
    assert_eq!((status_of(&bench, &url, OTHER_SIGNATURE).await, status_of(&bench, &url, SIGNATURE).await), (200, 400));

    let weak = bench.post(&admin, &format!("{path}/secrets"), &json!({ "signing_secret": "short" })).await;
    assert_eq!(
        (weak.problem(), weak.pointers()),
        ((400, "config_invalid".to_owned()), vec!["/signing_secret".to_owned()])
    );
    let long = json!({ "signing_secret": SECRET, "expires_in": 99_999_999 });
    assert_eq!(bench.post(&admin, &format!("{path}/secrets"), &long).await.problem().0, 400);
}

#[actix_web::test]
async fn a_patched_secret_replaces_the_old_one_and_cannot_be_taken_away_unsaid() {
    let bench = Bench::start();
    let admin = bench.admin().await;
    let (path, url) = channel(&bench, &admin, &keyed()).await;
    let changed = bench.patch(&admin, &path, &json!({ "config": { "signing_secret": OTHER_SECRET } })).await;
    assert_eq!(changed.status, 200, "{changed:?}");
    assert_eq!((status_of(&bench, &url, OTHER_SIGNATURE).await, status_of(&bench, &url, SIGNATURE).await), (200, 400));

    let bare = bench.patch(&admin, &path, &json!({ "config": { "signing_secret": null } })).await;
    assert_eq!(bare.problem(), (400, "verification_required".to_owned()));
    let said = bench.patch(&admin, &path, &json!({ "verification": "none" })).await;
    assert_eq!(said.json()["verification"], "none");
    assert_eq!(status_of(&bench, &url, "anything").await, 200);
    let trail = bench.get(&admin, "/api/audit").await.text();
    assert!(trail.contains("channel.unverified") && trail.contains("channel.created"), "{trail}");

    let keyed_again = bench.patch(&admin, &path, &json!({ "config": { "signing_secret": SECRET } })).await;
    assert_eq!(keyed_again.json()["verification"], "secret");
    assert_eq!((status_of(&bench, &url, SIGNATURE).await, status_of(&bench, &url, "anything").await), (200, 400));
}

#[actix_web::test]
async fn opening_a_channels_secrets_is_a_line_per_load() {
    let bench = Bench::start();
    let admin = bench.admin().await;
    let (path, url) = channel(&bench, &admin, &keyed()).await;
    for _ in 0..3 {
        assert_eq!(status_of(&bench, &url, SIGNATURE).await, 200);
        bench.clock.advance(Duration::from_secs(5));
    }
    let opened = || async {
        let lines = bench.get(&admin, "/api/audit").await.json();
        lines.as_array().unwrap().iter().filter(|line| line["purpose"] == "verify").count()
    };
    assert_eq!(opened().await, 1, "the same revision is opened once");
    bench.patch(&admin, &path, &json!({ "name": "Renamed" })).await;
    assert_eq!(status_of(&bench, &url, SIGNATURE).await, 200);
    assert_eq!(opened().await, 2);
}

#[actix_web::test]
async fn somebody_elses_channel_is_not_there() {
    let bench = Bench::start();
    let owner = bench.admin().await;
    let (path, _) = channel(&bench, &owner, &keyed()).await;
    let scopes = [nora_kernel::Scope::ChannelsRead, nora_kernel::Scope::ChannelsWrite];
    let stranger = bench.token_in("elsewhere", &scopes).await;
    let list = path.rsplit_once('/').unwrap().0;
    assert_eq!(bench.get(&stranger, list).await.problem(), (404, "agent_not_found".to_owned()));
    assert_eq!(bench.post(&stranger, list, &open()).await.problem(), (404, "agent_not_found".to_owned()));
    let not_there = (404, "channel_not_found".to_owned());
    assert_eq!(bench.get(&stranger, &path).await.problem(), not_there);
    assert_eq!(bench.patch(&stranger, &path, &json!({ "enabled": false })).await.problem(), not_there);
    assert_eq!(bench.delete(&stranger, &path).await.problem(), not_there);
    let secret = json!({ "signing_secret": OTHER_SECRET });
    assert_eq!(bench.post(&stranger, &format!("{path}/secrets"), &secret).await.problem(), not_there);
    assert_eq!(bench.get(&stranger, &format!("{path}/events")).await.problem(), not_there);
    assert_eq!(bench.post(&stranger, &format!("{path}/replays"), &json!({})).await.problem(), not_there);
}

#[actix_web::test]
async fn every_type_says_how_it_verifies() {
    let bench = Bench::start();
    let token = bench.token(&[]).await;
    let types = bench.get(&token, "/api/channel-types").await.json();
    let types = types.as_array().unwrap();
    let names: Vec<&str> = types.iter().map(|kind| kind["type"].as_str().unwrap()).collect();
    assert_eq!(names, ["forge", "standard-webhooks", "webhook"]);
    for kind in types {
        assert!(jsonschema::draft202012::meta::is_valid(&kind["config_schema"]), "{kind}");
        assert_eq!(kind["config_schema"]["properties"]["signing_secret"]["writeOnly"], true);
        assert!(!kind["verification"].as_array().unwrap().is_empty());
    }
    assert_eq!(types[0]["handshakes"].as_array().unwrap().len(), 3);
}
