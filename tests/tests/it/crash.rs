//! Power failures: the process dies without a word, again and again, while clients change things.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use e2e::faults::Route;
use e2e::{Api, Installation, Runtime, Store, Witness, eventually, on_both_stores};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::watch;

on_both_stores!(nothing_acknowledged_is_lost, dying_at_the_first_start, dying_before_the_push, dying_after_the_push);

const KILLS: u64 = 12;
/// How many acknowledgements lie between two kills.
const BETWEEN: u64 = 7;
const CLIENTS: usize = 3;

/// What may be true of a connection: the tokens it may have, `None` for its absence. One that was acknowledged has one.
type Possible = BTreeMap<String, BTreeSet<Option<String>>>;

async fn nothing_acknowledged_is_lost(store: Store) {
    let installation = Installation::new(store).await;
    let mut server = installation.start().await;
    let (api, runtime) = (installation.api(), Runtime::start().await);
    let witness = Witness::before(&runtime.url(), Duration::ZERO).await;
    let agent = api.register_at("Crashing", &witness.url(), runtime.token()).await;
    runtime.handle().wait_for_generation(1).await;

    let acknowledged = Arc::new(AtomicU64::new(0));
    let (stop, stopped) = watch::channel(false);
    let clients: Vec<_> = (0..CLIENTS)
        .map(|number| {
            let client =
                Client { api: api.clone(), agent: agent.clone(), number, acknowledged: Arc::clone(&acknowledged) };
            tokio::spawn(client.run(stopped.clone()))
        })
        .collect();
    for kill in 1..=KILLS {
        let what = "more acknowledgements";
        eventually(what, async || (acknowledged.load(Ordering::SeqCst) >= kill * BETWEEN).then_some(())).await;
        server.kill().await;
        server = installation.start().await;
    }
    stop.send(true).unwrap();
    let mut possible = Possible::new();
    for client in clients {
        possible.extend(client.await.unwrap());
    }

    let live = listed(&api, &agent).await;
    for (label, states) in &possible {
        let present = live.contains(label);
        assert!(
            states.iter().any(|state| state.is_some() == present),
            "{label}: live {present}, acknowledged {states:?}"
        );
    }
    assert!(live.iter().all(|label| possible.contains_key(label)), "what nobody asked for: {live:?}");
    converges(&runtime, &live, &possible).await;
    api.wait_in_sync(&agent).await;
    converges(&runtime, &live, &possible).await;
    let generations = witness.seen().generations(&agent);
    assert!(generations.is_sorted(), "a generation went backwards: {generations:?}");
}

async fn listed(api: &Api, agent: &str) -> BTreeSet<String> {
    let list = api.get(&format!("/api/agents/{agent}/integrations")).await.json(200);
    list.as_array().unwrap().iter().map(|record| record["label"].as_str().unwrap().to_owned()).collect()
}

/// Waits until the runtime has a possible token for each live connection, and nothing else.
async fn converges(runtime: &Runtime, live: &BTreeSet<String>, possible: &Possible) {
    let variable = |label: &String| format!("ACME_API_TOKEN__{}", label.to_uppercase().replace('-', "_"));
    eventually("a runtime that has what is live", async || {
        let env = runtime.env();
        let is_right = |label: &String| {
            let value = env.get(&variable(label)).cloned();
            value.is_some() && possible[label].contains(&value)
        };
        (env.len() == live.len() && live.iter().all(is_right)).then_some(())
    })
    .await;
}

/// Connects, rotates and removes, and remembers what it was told.
struct Client {
    api: Api,
    agent: String,
    number: usize,
    acknowledged: Arc<AtomicU64>,
}

impl Client {
    async fn run(self, stopped: watch::Receiver<bool>) -> Possible {
        let mut possible = Possible::new();
        for round in 0.. {
            if *stopped.borrow() {
                break;
            }
            let label = format!("c{}-{round}", self.number);
            let states = self.live(&label, round).await;
            possible.insert(label, states);
        }
        possible
    }

    /// One connection's life, until an answer does not come: then it is left as it may be.
    async fn live(&self, label: &str, round: u64) -> BTreeSet<Option<String>> {
        let path = format!("/api/agents/{}/integrations", self.agent);
        let token = |version: u32| format!("{label}-v{version}");
        let body = json!({ "provider": "acme", "label": label, "token": token(1) });
        let Some(record) = self.tell(Method::POST, &path, Some(body), 201).await else {
            return [None, Some(token(1))].into();
        };
        let path = format!("{path}/{}", record["id"].as_str().unwrap());
        let body = json!({ "token": token(2) });
        if self.tell(Method::PATCH, &path, Some(body), 200).await.is_none() {
            return [Some(token(1)), Some(token(2))].into();
        }
        if round.is_multiple_of(3) {
            return [Some(token(2))].into();
        }
        match self.tell(Method::DELETE, &path, None, 200).await {
            Some(_) => [None].into(),
            None => [None, Some(token(2))].into(),
        }
    }

    /// Sends a request until the server could at least be reached; `None` if it then died before it answered.
    async fn tell(&self, method: Method, path: &str, body: Option<Value>, status: u16) -> Option<Value> {
        loop {
            match self.api.send(method.clone(), path, &[], body.clone()).await {
                Ok(answer) => {
                    self.acknowledged.fetch_add(1, Ordering::SeqCst);
                    return Some(answer.json(status));
                }
                Err(error) if error.is_connect() => tokio::time::sleep(Duration::from_millis(10)).await,
                Err(_) => return None,
            }
        }
    }
}

/// Wherever the first start is cut short, a later one leaves one key that works, and a keyring that fits.
async fn dying_at_the_first_start(store: Store) {
    for step in [10, 35] {
        let installation = Installation::new(store).await;
        for kill in 1..=7 {
            let mut first = installation.command(&[]);
            let mut first = first.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            tokio::time::sleep(Duration::from_millis(kill * step)).await;
            first.kill().unwrap();
            first.wait().unwrap();
        }
        let _server = installation.start().await;
        let keys = installation.api().get("/api/keys").await.json(200);
        assert_eq!(keys.as_array().unwrap().len(), 1, "{keys}");
        assert!(!installation.data_dir().join("bootstrap-key.new").exists(), "a key lies about");
    }
}

async fn dying_before_the_push(store: Store) {
    let (mut installation, runtime, agent) = prepared(store).await;
    let pushes = runtime.handle().calls(Route::Sync);
    connect_and_die(&mut installation, "before-push", &agent).await;
    assert_eq!(runtime.handle().calls(Route::Sync), pushes, "it died before the push");

    let _server = installation.start().await;
    runtime.wait_for_env(&[("ACME_API_TOKEN", "t")]).await;
    installation.api().wait_in_sync(&agent).await;
}

async fn dying_after_the_push(store: Store) {
    let (mut installation, runtime, agent) = prepared(store).await;
    let pushes = runtime.handle().calls(Route::Sync);
    connect_and_die(&mut installation, "after-push", &agent).await;
    assert_eq!(runtime.handle().calls(Route::Sync), pushes + 1);
    runtime.wait_for_env(&[("ACME_API_TOKEN", "t")]).await;
    let generation = runtime.handle().generation().unwrap();

    let _server = installation.start().await;
    let view = installation.api().wait_in_sync(&agent).await;
    assert_eq!(view["applied_generation"], generation, "the same state was pushed again: {view}");
    assert_eq!(runtime.handle().calls(Route::Sync), pushes + 2);
    runtime.wait_for_env(&[("ACME_API_TOKEN", "t")]).await;
}

/// An agent in step, and no server.
async fn prepared(store: Store) -> (Installation, Runtime, String) {
    let installation = Installation::new(store).await;
    let server = installation.start().await;
    let runtime = Runtime::start().await;
    let agent = installation.api().register("Fail point", &runtime).await;
    installation.api().wait_in_sync(&agent).await;
    server.kill().await;
    (installation, runtime, agent)
}

/// Connects at a server that dies at a fail point. Its answer may be lost with it; the commit is not.
async fn connect_and_die(installation: &mut Installation, point: &str, agent: &str) {
    installation.set("NORA_FAIL_POINT", point);
    let mut server = installation.start().await;
    installation.unset("NORA_FAIL_POINT");
    let path = format!("/api/agents/{agent}/integrations");
    let body = json!({ "provider": "acme", "token": "t" });
    if let Ok(answer) = installation.api().send(Method::POST, &path, &[], Some(body)).await {
        assert_eq!(answer.status, 201, "{}", answer.body);
    }
    let ended = server.wait().await;
    assert_eq!(ended.code, None, "it aborted: {ended:?}");
}
