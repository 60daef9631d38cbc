//! Connection tests.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::Bench;

#[actix_web::test]
async fn a_saved_connection_is_tested() {
    let bench = Bench::start();
    let admin = bench.admin().await;
    let agent = bench.agent(&admin).await;
    let path = bench.slack(&admin, &agent).await;
    let good = bench.post(&admin, &format!("{path}/test"), &json!({})).await.json();
    assert_eq!(
        (&good["success"], &good["verdict"], &good["account"]),
        (&json!(true), &json!("verified"), &json!("octocat"))
    );
    assert_eq!(good["message"], "Connected as octocat");
    assert!(good["checked_at"].is_string() && good["latency_ms"].is_u64());
    assert_eq!((good.get("error"), good.get("reason_code")), (None, None));

    assert_eq!(bench.patch(&admin, &path, &json!({ "token": "CANARY-BAD" })).await.status, 200);
    let bad = bench.post(&admin, &format!("{path}/test"), &json!({})).await;
    assert_eq!(bad.status, 200, "a refusal by the third party is an answer");
    let bad = bad.json();
    assert_eq!(
        (&bad["success"], &bad["verdict"], &bad["reason_code"]),
        (&json!(false), &json!("rejected"), &json!("auth"))
    );
    assert_eq!(bad["error"], bad["message"]);
    assert!(!bad.to_string().contains("CANARY"));
}

#[actix_web::test]
async fn a_candidate_is_tested_and_not_kept() {
    let bench = Bench::start();
    let admin = bench.admin().await;
    let agent = bench.agent(&admin).await;
    let test = format!("{agent}/integrations/test");
    let candidate = json!({ "provider": "slack", "token": "good-token" });
    assert_eq!(bench.post(&admin, &test, &candidate).await.json()["success"], true);
    assert_eq!(bench.get(&admin, &format!("{agent}/integrations")).await.json(), json!([]));
    for (body, code) in [
        (json!({}), "provider_missing"),
        (json!({ "provider": "nothing" }), "provider_unknown"),
        (json!({ "provider": "slack" }), "token_missing"),
        (json!({ "provider": "slack", "token": "t", "config": { "x": 1 } }), "config_invalid"),
    ] {
        assert_eq!(bench.post(&admin, &test, &body).await.problem(), (400, code.to_owned()), "{body}");
    }
    let nobody = bench.post(&admin, "/api/agents/x/integrations/test", &candidate).await;
    assert_eq!(nobody.problem(), (404, "agent_not_found".to_owned()));
}

#[actix_web::test]
async fn sixty_tests_a_minute_and_then_a_wait() {
    let bench = Bench::start();
    let admin = bench.admin().await;
    let agent = bench.agent(&admin).await;
    let test = format!("{agent}/integrations/test");
    let candidate: Value = json!({ "provider": "slack", "token": "good-token" });
    for number in 0..60 {
        assert_eq!(bench.post(&admin, &test, &candidate).await.status, 200, "{number}");
    }
    bench.clock.advance(Duration::from_millis(19_500));
    let limited = bench.post(&admin, &test, &candidate).await;
    assert_eq!(limited.problem(), (429, "too_many_requests".to_owned()));
    assert_eq!(limited.header("retry-after"), Some("41"));
    bench.clock.advance(Duration::from_secs(41));
    assert_eq!(bench.post(&admin, &test, &candidate).await.status, 200);
}
