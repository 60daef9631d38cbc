//! Two servers over one PostgreSQL database.

use std::collections::BTreeMap;
use std::time::Duration;

use e2e::{Api, Installation, Runtime, Store, Witness, eventually};
use serde_json::json;

/// Enough agents that each server gets some of them.
const AGENTS: usize = 12;
const ROUNDS: usize = 4;

/// An agent, and what stands before its runtime.
struct Watched {
    agent: String,
    runtime: Runtime,
    witness: Witness,
}

async fn watched(api: &Api, count: usize, delay: Duration) -> Vec<Watched> {
    let mut agents = Vec::new();
    for number in 0..count {
        let runtime = Runtime::start().await;
        let witness = Witness::before(&runtime.url(), delay).await;
        let agent = api.register_at(&format!("Agent {number}"), &witness.url(), runtime.token()).await;
        agents.push(Watched { agent, runtime, witness });
    }
    agents
}

async fn pushed_by(installation: &Installation) -> u64 {
    let metrics = Api::new(installation.metrics_url(), "").get("/metrics").await;
    let synced = |line: &&str| line.starts_with("nora_sync_steps") && line.contains(r#"outcome="synced""#);
    let line = metrics.body.lines().find(synced).and_then(|line| line.rsplit(' ').next());
    line.map_or(0, |number| number.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_push_and_never_at_once() {
    let one = Installation::new(Store::Postgres).await;
    let _first = one.start().await;
    let two = one.replica();
    let _second = two.start().await;
    let (api, other) = (one.api(), one.api().at(two.url()));
    let agents = watched(&api, AGENTS, Duration::from_millis(40)).await;

    let mut expected = BTreeMap::new();
    for round in 0..ROUNDS {
        for watched in &agents {
            let (label, token) = (format!("r{round}"), format!("token-{round}"));
            let server = if round % 2 == 0 { &api } else { &other };
            server.connect_acme(&watched.agent, &label, &token).await;
            expected.insert(format!("ACME_API_TOKEN__R{round}"), token);
        }
    }
    for watched in &agents {
        watched.runtime.wait_for(&expected).await;
        let (here, there) = (api.wait_in_sync(&watched.agent).await, other.sync(&watched.agent).await);
        assert_eq!(here["applied_generation"], there["applied_generation"]);
        let seen = watched.witness.seen();
        assert_eq!(seen.most_at_once, 1, "two servers pushed to one runtime at once");
        let generations = seen.generations(&watched.agent);
        assert!(generations.is_sorted(), "a generation went backwards: {generations:?}");
    }
    for server in [&one, &two] {
        assert!(pushed_by(server).await > 0, "each server does some of the work");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_key_is_refused_by_both() {
    let one = Installation::new(Store::Postgres).await;
    let _first = one.start().await;
    let two = one.replica();
    let _second = two.start().await;
    let (api, other) = (one.api(), one.api().at(two.url()));
    let made = api.post("/api/keys", json!({ "name": "short", "scopes": ["agents:read"] })).await.json(201);
    let key = made["key"].as_str().unwrap();
    assert_eq!(other.with_token(key).get("/api/agents").await.status, 200);

    let path = format!("/api/keys/{}", made["id"].as_str().unwrap());
    assert_eq!(api.delete(&path).await.status, 200);
    assert_eq!(api.with_token(key).get("/api/agents").await.status, 401, "refused from the next request on here");
    let what = "the key refused by the other server";
    eventually(what, async || (other.with_token(key).get("/api/agents").await.status == 401).then_some(())).await;
    assert_eq!(other.with_token(key).get("/api/agents").await.status, 401, "and for good");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_takes_over_from_the_other() {
    let one = Installation::new(Store::Postgres).await;
    let first = one.start().await;
    let two = one.replica();
    let _second = two.start().await;
    let (api, other) = (one.api(), one.api().at(two.url()));
    let agents = watched(&api, 6, Duration::from_secs(2)).await;
    eventually("pushes under way", async || {
        agents.iter().all(|watched| !watched.witness.seen().pushes.is_empty()).then_some(())
    })
    .await;
    first.kill().await;

    for watched in &agents {
        other.connect_acme(&watched.agent, "default", "taken-over").await;
    }
    for watched in &agents {
        watched.runtime.wait_for_env(&[("ACME_API_TOKEN", "taken-over")]).await;
        other.wait_in_sync(&watched.agent).await;
        let generations = watched.witness.seen().generations(&watched.agent);
        assert!(generations.is_sorted(), "a generation went backwards: {generations:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_may_be_the_first() {
    let one = Installation::new(Store::Postgres).await;
    let two = one.replica();
    let (_first, _second) = tokio::join!(one.start(), two.start());
    let keys = [one.bootstrap_key(), two.bootstrap_key()];
    let made: Vec<&String> = keys.iter().filter(|key| !key.is_empty()).collect();
    assert_eq!(made.len(), 1, "one of them made the first key");
    for url in [one.url(), two.url()] {
        let keys = Api::new(url, made[0]).get("/api/keys").await.json(200);
        assert_eq!(keys.as_array().unwrap().len(), 1, "{keys}");
    }
}
