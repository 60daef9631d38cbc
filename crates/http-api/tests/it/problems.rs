//! Faults of ours: what a client is told, and what the log is.

use std::sync::Arc;

use crate::support::{Bench, Broken, Log, Parts};

fn with_audit(broken: Broken) -> Bench {
    let mut parts = Parts::new();
    parts.audit = Arc::new(broken);
    parts.build()
}

#[actix_web::test]
async fn a_fault_is_told_to_the_log_once_and_to_the_client_not_at_all() {
    for (broken, status, code) in [(Broken::Transient, 503, "unavailable"), (Broken::Fault, 500, "internal")] {
        let bench = with_audit(broken);
        let admin = bench.admin().await;
        let log = Log::capture();
        let answer = bench.get(&admin, "/api/audit").await;
        assert_eq!(answer.problem(), (status, code.to_owned()));
        assert_eq!(answer.header("retry-after"), (status == 503).then_some("1"));
        assert!(!answer.text().contains("relation"), "{answer:?}");
        let told = log.text();
        let errors: Vec<&str> = told.lines().filter(|line| line.contains("ERROR")).collect();
        assert_eq!(errors.len(), 1, "{told}");
        let chain = "a dependency is unavailable: relation \\\\\\\"audit\\\\\\\" does not exist";
        assert!(errors[0].contains(chain), "the whole chain: {told}");
        assert!(errors[0].contains(answer.header("x-request-id").unwrap()), "{told}");
        assert!(errors[0].contains("actor.kind=\"api_key\""), "{told}");
    }
}

#[actix_web::test]
async fn a_panic_costs_one_answer() {
    let bench = with_audit(Broken::Panic);
    let admin = bench.admin().await;
    let log = Log::capture();
    let answer = bench.get(&admin, "/api/audit").await;
    assert_eq!(answer.problem(), (500, "internal".to_owned()));
    assert!(!answer.text().contains("relation"));
    let told = log.text();
    assert_eq!(told.lines().filter(|line| line.contains("ERROR")).count(), 1, "{told}");
    assert_eq!(bench.get(&admin, "/api/agents").await.status, 200);
}

#[actix_web::test]
async fn an_ordinary_refusal_is_no_error_in_the_log() {
    let bench = Bench::start();
    let admin = bench.admin().await;
    let log = Log::capture();
    for path in ["/api/agents/x", "/api/nowhere", "/api/agents?limit=0"] {
        assert!(bench.get(&admin, path).await.status >= 400);
    }
    assert!(!log.text().contains("ERROR") && !log.text().contains("WARN"), "{}", log.text());
}
