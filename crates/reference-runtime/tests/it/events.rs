//! `POST /channels/receive`.

use nora_reference_runtime::{Config, RunningRuntime};
use serde_json::json;

use crate::support::{TOKEN, answer, config, exchange, get, post, runtime};

#[tokio::test]
async fn a_repeated_event_is_taken_once() {
    let runtime = runtime();
    let event = json!({ "eventId": "e-1", "channelType": "webhook", "content": "hello", "replay": false });
    for _ in 0..3 {
        assert_eq!(post(&runtime, "/channels/receive", &event).await, answer(200, json!({ "received": true })));
    }
    runtime.handle().wait_for_event("e-1").await;
    let events = runtime.handle().events();
    assert_eq!(events.len(), 1);
    assert_eq!((events[0].id.as_str(), &events[0].delivery), ("e-1", &event));
    let shown = get(&runtime, "/events", Some(TOKEN)).await;
    assert_eq!(shown, answer(200, json!({ "events": [event] })));
}

#[tokio::test]
async fn only_the_last_events_are_kept() {
    let runtime = RunningRuntime::start(Config { events_kept: 2, ..config() }).unwrap();
    for id in ["a", "b", "c"] {
        post(&runtime, "/channels/receive", &json!({ "eventId": id })).await;
    }
    let kept: Vec<String> = runtime.handle().events().into_iter().map(|event| event.id).collect();
    assert_eq!(kept, ["b", "c"]);
}

#[tokio::test]
async fn what_is_no_event_is_refused() {
    let runtime = runtime();
    for body in [json!({}), json!({ "eventId": 7 }), json!({ "eventId": "" }), json!("e-1")] {
        assert_eq!(post(&runtime, "/channels/receive", &body).await.status, 400, "{body}");
    }
    let unauthorised =
        exchange(runtime.address(), "POST /channels/receive", None, b"{\"eventId\":\"x\"}").await.unwrap();
    assert_eq!(unauthorised.status, 401);
    assert!(runtime.handle().events().is_empty());
}
