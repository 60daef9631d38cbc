//! Health.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use nora_kernel::{Readiness, Unavailable};
use serde_json::json;

use crate::support::{Bench, Broken, Log, Parts, request};

struct Fine;

#[async_trait]
impl Readiness for Fine {
    async fn ready(&self) -> Result<(), Unavailable> {
        Ok(())
    }
}

fn bench(checks: Vec<(&'static str, Arc<dyn Readiness>)>) -> Bench {
    let mut parts = Parts::new();
    parts.readiness = checks;
    parts.limits.readiness_deadline = Duration::from_millis(20);
    parts.build()
}

#[actix_web::test]
async fn life_touches_nothing() {
    let bench = bench(vec![("database", Arc::new(Broken::Panic))]);
    let answer = bench.send(request("GET", "/health/live")).await;
    assert_eq!((answer.status, answer.json()), (200, json!({ "status": "live" })));
}

#[actix_web::test]
async fn ready_is_what_passes_every_check() {
    let bench = bench(vec![("database", Arc::new(Fine)), ("keyring", Arc::new(Fine))]);
    let answer = bench.send(request("GET", "/health/ready")).await;
    assert_eq!(answer.json(), json!({ "status": "ready", "checks": ["database", "keyring"] }));
}

#[actix_web::test]
async fn what_fails_or_does_not_answer_is_named() {
    let bench = bench(vec![
        ("database", Arc::new(Broken::Fault)),
        ("keyring", Arc::new(Fine)),
        ("disk", Arc::new(Broken::Silent)),
    ]);
    let log = Log::capture();
    let answer = bench.send(request("GET", "/health/ready")).await;
    assert_eq!(answer.problem(), (503, "not_ready".to_owned()));
    assert_eq!(answer.json()["detail"], "not ready: database, disk");
    assert_eq!(answer.header("retry-after"), Some("1"));
    assert!(!answer.text().contains("relation"));
    assert!(log.text().contains("does not exist"), "the cause is for the log: {}", log.text());
}

#[actix_web::test]
async fn a_drain_turns_readiness_off_and_nothing_else() {
    let bench = bench(vec![("database", Arc::new(Fine))]);
    let token = bench.token(&[]).await;
    assert_eq!(bench.send(request("GET", "/health/ready")).await.status, 200);
    bench.api.drain();
    assert_eq!(bench.send(request("GET", "/health/ready")).await.problem(), (503, "not_ready".to_owned()));
    assert_eq!(bench.send(request("GET", "/health/live")).await.status, 200);
    assert_eq!(bench.get(&token, "/api/integrations/catalog").await.status, 200);
}
