//! Repeated requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix_web::rt;
use actix_web::test::TestRequest;
use async_trait::async_trait;
use nora_access::ports::IdempotencyStore;
use nora_kernel::{Idempotency, IdempotencyKey, Scope, Timestamp, Unavailable};
use nora_testkit::InMemory;
use serde_json::{Value, json};

use crate::support::{Answer, Bench, Parts, agent_body, slack_body, with_token};

async fn post(bench: &Bench, token: &str, path: &str, key: &str, body: &Value) -> Answer {
    let request = TestRequest::post().uri(path).insert_header(("Idempotency-Key", key)).set_json(body);
    bench.send(with_token(request, token)).await
}

fn replayed(answer: &Answer) -> bool {
    answer.header("idempotency-replayed") == Some("true")
}

#[actix_web::test]
async fn a_repeated_request_gets_the_first_answer_and_does_nothing() {
    let bench = Bench::start();
    let admin = bench.admin().await;
    let first = post(&bench, &admin, "/api/agents", "one", &agent_body()).await;
    assert_eq!((first.status, replayed(&first)), (201, false));
    let agent = first.header("location").unwrap().to_owned();
    let integrations = format!("{agent}/integrations");
    let connected = post(&bench, &admin, &integrations, "one", &slack_body()).await;
    assert_eq!((connected.status, replayed(&connected)), (201, false), "another route, another record");

    for (path, body, original) in [("/api/agents", agent_body(), first), (&integrations, slack_body(), connected)] {
        let again = post(&bench, &admin, path, "one", &body).await;
        assert_eq!((again.status, replayed(&again)), (201, true), "{path}");
        assert_eq!(
            (again.body.clone(), again.header("location")),
            (original.body.clone(), original.header("location"))
        );
        assert_eq!(bench.get(&admin, path).await.json().as_array().unwrap().len(), 1, "{path}");
    }
}

#[actix_web::test]
async fn another_body_under_the_same_key_is_a_mismatch() {
    let bench = Bench::start();
    let admin = bench.admin().await;
    post(&bench, &admin, "/api/agents", "one", &agent_body()).await;
    let mut other = agent_body();
    other["name"] = json!("Other");
    let answer = post(&bench, &admin, "/api/agents", "one", &other).await;
    assert_eq!(answer.problem(), (409, "idempotency_mismatch".to_owned()));
    let malformed = TestRequest::post().uri("/api/agents").insert_header(("Idempotency-Key", "one"));
    let malformed = crate::support::raw_json(malformed, "{");
    assert_eq!(bench.send(with_token(malformed, &admin)).await.code(), "idempotency_mismatch");
    assert_eq!(post(&bench, &admin, "/api/agents", "two", &other).await.status, 201);
}

#[actix_web::test]
async fn keys_of_others_are_other_keys() {
    let bench = Bench::start();
    let scopes = [Scope::AgentsWrite, Scope::IntegrationsWrite];
    let (one, other) = (bench.token(&scopes).await, bench.token(&scopes).await);
    let first = post(&bench, &one, "/api/agents", "one", &agent_body()).await;
    let second = post(&bench, &other, "/api/agents", "one", &agent_body()).await;
    assert_eq!((first.status, second.status, replayed(&second)), (201, 201, false));
    assert_ne!(first.json()["id"], second.json()["id"]);
}

#[actix_web::test]
async fn only_successes_are_remembered_and_only_for_a_day() {
    let bench = Bench::start();
    let admin = bench.admin().await;
    let refused = post(&bench, &admin, "/api/agents", "one", &json!({ "name": "x" })).await;
    assert_eq!(refused.status, 400);
    assert_eq!(post(&bench, &admin, "/api/agents", "one", &agent_body()).await.status, 201);
    bench.clock.advance(Duration::from_hours(24));
    let late = post(&bench, &admin, "/api/agents", "one", &agent_body()).await;
    assert_eq!((late.status, replayed(&late)), (201, false));
    assert_eq!(bench.get(&admin, "/api/agents").await.json().as_array().unwrap().len(), 2);
}

#[actix_web::test]
async fn the_header_is_one_short_printable_text() {
    let bench = Bench::start();
    let admin = bench.admin().await;
    for key in ["", "ключ", &"x".repeat(256)] {
        let answer = post(&bench, &admin, "/api/agents", key, &agent_body()).await;
        assert_eq!(answer.problem(), (400, "idempotency_key_invalid".to_owned()), "{key}");
    }
    let twice = TestRequest::post().uri("/api/agents").set_json(agent_body());
    let twice = twice.append_header(("Idempotency-Key", "a")).append_header(("Idempotency-Key", "a"));
    let answer = bench.send(with_token(twice, &admin)).await;
    assert_eq!(answer.problem(), (400, "idempotency_key_invalid".to_owned()));
    assert_eq!(post(&bench, &admin, "/api/agents", &"x".repeat(255), &agent_body()).await.status, 201);
}

#[actix_web::test]
async fn a_key_s_answer_is_never_kept() {
    let bench = Bench::start();
    let admin = bench.admin().await;
    let body = json!({ "name": "x", "scopes": ["agents:read"] });
    let answer = post(&bench, &admin, "/api/keys", "one", &body).await;
    assert_eq!(answer.problem(), (400, "idempotency_not_supported".to_owned()));
    assert_eq!(bench.get(&admin, "/api/keys").await.json().as_array().unwrap().len(), 1);
}

#[actix_web::test]
async fn a_twin_under_way_is_told_so() {
    let parts = Parts::new();
    let gate = Arc::clone(&parts.vault);
    let bench = Arc::new(parts.build());
    let admin = bench.admin().await;
    gate.close();
    let first = rt::spawn({
        let (bench, admin) = (Arc::clone(&bench), admin.clone());
        async move { post(&bench, &admin, "/api/agents", "one", &agent_body()).await }
    });
    gate.reached().await;
    let twin = post(&bench, &admin, "/api/agents", "one", &agent_body()).await;
    assert_eq!(twin.problem(), (409, "idempotency_in_progress".to_owned()));
    gate.open();
    let first = first.await.unwrap();
    assert_eq!(first.status, 201);
    let after = post(&bench, &admin, "/api/agents", "one", &agent_body()).await;
    assert_eq!((replayed(&after), after.body), (true, first.body));
}

#[actix_web::test]
async fn a_twin_that_is_gone_holds_nothing_up() {
    let parts = Parts::new();
    let gate = Arc::clone(&parts.vault);
    let bench = Arc::new(parts.build());
    let admin = bench.admin().await;
    gate.close();
    let first = rt::spawn({
        let (bench, admin) = (Arc::clone(&bench), admin.clone());
        async move { post(&bench, &admin, "/api/agents", "one", &agent_body()).await }
    });
    gate.reached().await;
    first.abort();
    assert!(first.await.is_err());
    gate.open();
    assert_eq!(post(&bench, &admin, "/api/agents", "one", &agent_body()).await.status, 201);
}

/// A store that sometimes does not see yet what another server has just written.
struct Late {
    memory: Arc<InMemory>,
    blind: AtomicBool,
}

#[async_trait]
impl IdempotencyStore for Late {
    async fn find(
        &self,
        principal: &str,
        route: &str,
        key: &IdempotencyKey,
        now: Timestamp,
    ) -> Result<Option<Idempotency>, Unavailable> {
        if self.blind.swap(false, Ordering::SeqCst) {
            return Ok(None);
        }
        self.memory.find(principal, route, key, now).await
    }

    async fn prune(&self, now: Timestamp, limit: u32) -> Result<u64, Unavailable> {
        self.memory.prune(now, limit).await
    }
}

#[actix_web::test]
async fn a_twin_on_another_server_was_faster() {
    let mut parts = Parts::new();
    let late = Arc::new(Late { memory: Arc::clone(&parts.memory), blind: AtomicBool::new(false) });
    parts.idempotency = late.clone();
    let bench = parts.build();
    let admin = bench.admin().await;
    let first = post(&bench, &admin, "/api/agents", "one", &agent_body()).await;
    let integrations = format!("{}/integrations", first.header("location").unwrap());
    let connected = post(&bench, &admin, &integrations, "one", &slack_body()).await;
    let mut labelled = slack_body();
    labelled["label"] = json!("other");

    for (path, body, original) in [("/api/agents", agent_body(), &first), (&integrations, slack_body(), &connected)] {
        late.blind.store(true, Ordering::SeqCst);
        let again = post(&bench, &admin, path, "one", &body).await;
        assert!(!late.blind.load(Ordering::SeqCst), "it was asked");
        assert_eq!((again.status, replayed(&again), &again.body), (201, true, &original.body), "{path}");
    }
    // The store may notice the work's own conflict before the record's.
    let mut named = agent_body();
    named["id"] = json!("a1b2c3d4-e5f6-7890-abcd-ef1234567890");
    let original = post(&bench, &admin, "/api/agents", "named", &named).await;
    late.blind.store(true, Ordering::SeqCst);
    let again = post(&bench, &admin, "/api/agents", "named", &named).await;
    assert_eq!((again.status, replayed(&again), again.body), (201, true, original.body));
    let unrelated = post(&bench, &admin, "/api/agents", "unrelated", &named).await;
    assert_eq!(unrelated.problem(), (409, "agent_exists".to_owned()));

    late.blind.store(true, Ordering::SeqCst);
    let other = post(&bench, &admin, &integrations, "one", &labelled).await;
    assert_eq!(other.problem(), (409, "idempotency_mismatch".to_owned()));
    assert_eq!(bench.get(&admin, &integrations).await.json().as_array().unwrap().len(), 1);
}
