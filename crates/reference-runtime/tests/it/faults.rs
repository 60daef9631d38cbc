//! Misbehaviour on demand.

use std::time::Duration;

use nora_reference_runtime::faults::{Fault, Route};
use serde_json::json;

use crate::support::{AGENT, TOKEN, answer, confirmed, exchange, get, post, push, runtime};

#[tokio::test]
async fn faults_are_met_in_order_and_used_up() {
    let runtime = runtime();
    let faults = runtime.handle().faults();
    faults.next(Route::Sync, Fault::status(503));
    faults.next(Route::Sync, Fault::lie(r#"{"synced":true,"count":9,"generation":1}"#));
    let body = push(AGENT, 1, &json!({ "A": "a" }));
    assert_eq!(post(&runtime, "/integrations/sync", &body).await.status, 503);
    let lie = answer(200, json!({ "synced": true, "count": 9, "generation": 1 }));
    assert_eq!(post(&runtime, "/integrations/sync", &body).await, lie);
    assert_eq!(runtime.handle().generation(), None, "a lie applies nothing");
    assert_eq!(post(&runtime, "/integrations/sync", &body).await, confirmed(1));
    assert_eq!((runtime.handle().calls(Route::Sync), runtime.handle().calls(Route::Health)), (3, 0));
}

#[tokio::test]
async fn a_lasting_fault_lasts_until_it_is_cleared_and_hits_one_route_alone() {
    let runtime = runtime();
    runtime.handle().faults().always(Route::Health, Fault::status(500));
    for _ in 0..3 {
        assert_eq!(get(&runtime, "/health", Some(TOKEN)).await.status, 500);
    }
    assert_eq!(post(&runtime, "/integrations/sync", &push(AGENT, 1, &json!({}))).await, confirmed(1));
    runtime.handle().faults().clear();
    assert_eq!(get(&runtime, "/health", Some(TOKEN)).await.status, 200);
}

#[tokio::test]
async fn a_connection_can_be_cut_before_and_after_the_work() {
    let runtime = runtime();
    let body = push(AGENT, 1, &json!({})).to_string();
    for (fault, applied) in [(Fault::Cut, None), (Fault::CutAfterwards, Some(1))] {
        runtime.handle().faults().next(Route::Sync, fault);
        let cut = exchange(runtime.address(), "POST /integrations/sync", Some(TOKEN), body.as_bytes()).await;
        assert!(cut.is_err(), "{cut:?}");
        assert_eq!(runtime.handle().generation(), applied);
    }
}

#[tokio::test]
async fn an_answer_can_be_late_or_never_come() {
    let runtime = runtime();
    runtime.handle().faults().next(Route::Health, Fault::Delay(Duration::from_millis(1)));
    assert_eq!(get(&runtime, "/health", None).await, answer(200, json!({ "status": "ok" })));
    runtime.handle().faults().next(Route::Health, Fault::Silence);
    let address = runtime.address();
    let waiting = tokio::spawn(async move { exchange(address, "GET /health", None, b"").await });
    while runtime.handle().calls(Route::Health) < 2 {
        tokio::task::yield_now().await;
    }
    assert!(!waiting.is_finished());
    runtime.stop().await;
    assert!(waiting.await.unwrap().is_err(), "stopping does not wait for an answer that never comes");
}
