//! Webhooks through the real server to a running agent runtime.

use std::time::{Duration, SystemTime};

use e2e::{Api, Installation, Runtime, Store, Stub, eventually, on_both_stores, sign};
use reqwest::Method;
use serde_json::{Value, json};

on_both_stores!(
    signed_requests_reach_the_runtime_and_forged_ones_do_not,
    a_paused_channel_and_a_replay,
    a_runtime_that_hangs_holds_up_nobody_else,
);

const SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";

async fn channel(api: &Api, agent: &str, body: Value) -> String {
    let record = api.post(&format!("/api/agents/{agent}/channels"), body).await.json(201);
    let id = record["id"].as_str().unwrap().to_owned();
    assert!(record["webhook_url"].as_str().unwrap().ends_with(&format!("/api/webhooks/{id}")), "{record}");
    id
}

/// Posts as a third party does: without a token.
async fn post(api: &Api, channel: &str, headers: &[(&str, &str)], body: &str) -> u16 {
    let third_party = api.with_token("");
    let path = format!("/api/webhooks/{channel}");
    let answer = third_party.send_bytes(Method::POST, &path, headers, body.as_bytes().to_vec()).await.unwrap();
    if answer.status == 200 {
        assert_eq!(answer.json(200), json!({ "received": true }));
    }
    answer.status
}

async fn events(api: &Api, agent: &str, channel: &str) -> Vec<Value> {
    api.get(&format!("/api/agents/{agent}/channels/{channel}/events")).await.json(200).as_array().unwrap().clone()
}

/// What the runtime got, once it got this many events.
async fn delivered(runtime: &Runtime, count: usize) -> Vec<Value> {
    let what = format!("{count} events at the runtime");
    eventually(&what, async || {
        let events = runtime.handle().events();
        (events.len() == count).then(|| events.into_iter().map(|event| event.delivery).collect())
    })
    .await
}

fn seconds() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "the outside world tells the time by itself")]
    let now = SystemTime::now();
    now.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}

async fn signed_requests_reach_the_runtime_and_forged_ones_do_not(store: Store) {
    let installation = Installation::new(store).await;
    let _server = installation.start().await;
    let (api, runtime) = (installation.api(), Runtime::start().await);
    let agent = api.register("Hooked", &runtime).await;
    let config = json!({ "signing_secret": SECRET });
    let github = channel(&api, &agent, json!({ "type": "github", "config": config })).await;
    let slack = channel(&api, &agent, json!({ "type": "slack", "config": config })).await;

    let push = r#"{"ref":"refs/heads/main","repository":{"full_name":"octocat/hello"}}"#;
    let message = r#"{"type":"event_callback","event_id":"Ev1","event":{"type":"message","user":"U1","text":"hello"}}"#;
    let stamp = seconds().to_string();
    let base = format!("v0:{stamp}:{message}");
    let signatures = sign([(SECRET, push), (SECRET, base.as_str())]);
    let (by_github, by_slack) = (format!("sha256={}", signatures[0]), format!("v0={}", signatures[1]));

    let github_headers = |signature: &str| {
        let signature = signature.to_owned();
        [
            ("X-Hub-Signature-256", signature),
            ("X-GitHub-Event", "push".to_owned()),
            ("X-GitHub-Delivery", "d1".to_owned()),
        ]
    };
    let send_github = async |signature: &str, body: &str| {
        let headers = github_headers(signature);
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        post(&api, &github, &headers, body).await
    };
    let send_slack = async |signature: &str| {
        let headers = [("X-Slack-Request-Timestamp", stamp.as_str()), ("X-Slack-Signature", signature)];
        post(&api, &slack, &headers, message).await
    };
    assert_eq!(send_github(&by_github, push).await, 200);
    assert_eq!(send_slack(&by_slack).await, 200);
    assert_eq!(send_github(&by_github, push).await, 200, "a redelivery is answered like the first");
    assert_eq!(send_github(&by_github, "{}").await, 400);
    assert_eq!(send_github(&format!("sha256={}", signatures[1]), push).await, 400);
    assert_eq!(send_slack(&format!("v0={}", signatures[0])).await, 400);

    let got = delivered(&runtime, 2).await;
    let of = |kind: &str| got.iter().find(|event| event["channelType"] == kind).unwrap();
    let (from_github, from_slack) = (of("github"), of("slack"));
    assert_eq!((&from_github["eventType"], &from_github["deliveryId"]), (&json!("push"), &json!("d1")));
    assert_eq!(from_github["metadata"], json!({ "verdict": "verified" }));
    assert_eq!(from_github["headers"]["x-hub-signature-256"], by_github.as_str());
    let body =
        base64::Engine::decode(&base64::engine::general_purpose::STANDARD, from_github["body"].as_str().unwrap());
    assert_eq!(body.unwrap(), push.as_bytes(), "byte for byte");
    assert_eq!(from_slack["channelId"], slack.as_str());
    assert_eq!(events(&api, &agent, &github).await.len(), 1, "and kept once");
    eventually("the event delivered", async || {
        (events(&api, &agent, &github).await[0]["state"] == "delivered").then_some(())
    })
    .await;
    let shown = api.transcript();
    assert!(!shown.contains(SECRET) && !installation.logs().contains(SECRET));
}

async fn a_paused_channel_and_a_replay(store: Store) {
    let installation = Installation::new(store).await;
    let server = installation.start().await;
    let (api, runtime) = (installation.api(), Runtime::start().await);
    let agent = api.register("Paused", &runtime).await;
    let channel = channel(&api, &agent, json!({ "type": "webhook", "verification": "none" })).await;
    let path = format!("/api/agents/{agent}/channels/{channel}");
    api.patch(&path, json!({ "paused": true })).await.json(200);
    assert_eq!(post(&api, &channel, &[], r#"{"n":1}"#).await, 200);
    server.stop().await;
    let _server = installation.start().await;
    assert_eq!(events(&api, &agent, &channel).await[0]["state"], "pending");
    assert!(runtime.handle().events().is_empty());
    api.patch(&path, json!({ "paused": false })).await.json(200);
    let first = delivered(&runtime, 1).await.remove(0);
    assert_eq!((&first["replay"], &first["content"]), (&json!(false), &json!(r#"{"n":1}"#)));

    let id = first["eventId"].as_str().unwrap();
    assert_eq!(api.post(&format!("{path}/events/{id}/replay"), json!({})).await.json(202), json!({ "count": 1 }));
    eventually("the replay delivered", async || {
        let event = events(&api, &agent, &channel).await.remove(0);
        (event["attempts"] == 2 && event["state"] == "delivered").then_some(())
    })
    .await;
    assert_eq!(runtime.handle().events().len(), 1, "the runtime tells by the id that it has it");
}

async fn a_runtime_that_hangs_holds_up_nobody_else(store: Store) {
    let installation = Installation::new(store).await;
    let _server = installation.start().await;
    let api = installation.api();
    // It takes requests and never answers one, for as long as the scenario lasts.
    let hung = Stub::start(|_, stream| async move {
        std::future::pending::<()>().await;
        drop(stream);
    })
    .await;
    let stuck = api.register_at("Stuck", &hung.url(), "token").await;
    let open = json!({ "type": "webhook", "verification": "none" });
    for _ in 0..30 {
        let channel = channel(&api, &stuck, open.clone()).await;
        assert_eq!(post(&api, &channel, &[], "1").await, 200, "it is kept all the same");
    }
    eventually("deliveries that hang", async || (hung.calls() >= 8).then_some(())).await;

    let runtime = Runtime::start().await;
    let agent = api.register("Lively", &runtime).await;
    let channel = channel(&api, &agent, open).await;
    for number in 0..20 {
        assert_eq!(post(&api, &channel, &[], &number.to_string()).await, 200);
    }
    let got = delivered(&runtime, 20).await;
    let contents: Vec<&str> = got.iter().map(|event| event["content"].as_str().unwrap()).collect();
    assert!(contents.iter().map(|content| content.parse::<u32>().unwrap()).is_sorted(), "{contents:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn identical_posts_at_two_servers_are_one_event() {
    let one = Installation::new(Store::Postgres).await;
    let _first = one.start().await;
    let two = one.replica();
    let _second = two.start().await;
    let (api, other) = (one.api(), one.api().at(two.url()));
    let runtime = Runtime::start().await;
    let agent = api.register("Crowded", &runtime).await;
    let config = json!({ "signing_secret": SECRET });
    let channel = channel(&api, &agent, json!({ "type": "github", "config": config })).await;
    let body = r#"{"zen":"Keep it logically awesome."}"#;
    let signature = format!("sha256={}", sign([(SECRET, body)])[0]);
    let posts: Vec<_> = (0..200)
        .map(|number| {
            let api = if number % 2 == 0 { api.clone() } else { other.clone() };
            let (channel, signature) = (channel.clone(), signature.clone());
            tokio::spawn(async move {
                let headers = [("X-Hub-Signature-256", signature.as_str()), ("X-GitHub-Delivery", "the-same")];
                post(&api, &channel, &headers, body).await
            })
        })
        .collect();
    for answered in posts {
        assert_eq!(answered.await.unwrap(), 200);
    }
    delivered(&runtime, 1).await;
    assert_eq!(events(&other, &agent, &channel).await.len(), 1);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(runtime.handle().events().len(), 1);
}
