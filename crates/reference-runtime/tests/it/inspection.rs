//! What may be looked at, and by whom.

use serde_json::json;

use crate::support::{AGENT, TOKEN, answer, get, post, push, runtime, sha256};

#[tokio::test]
async fn health_says_more_to_who_holds_the_token() {
    let runtime = runtime();
    assert_eq!(get(&runtime, "/health", None).await, answer(200, json!({ "status": "ok" })));
    let empty = json!({ "status": "ok", "agent_id": null, "generation": null });
    assert_eq!(get(&runtime, "/health", Some(TOKEN)).await, answer(200, empty));
    post(&runtime, "/integrations/sync", &push(AGENT, 3, &json!({}))).await;
    assert_eq!(get(&runtime, "/health", None).await, answer(200, json!({ "status": "ok" })));
    let held = json!({ "status": "ok", "agent_id": AGENT, "generation": 3 });
    assert_eq!(get(&runtime, "/health", Some(TOKEN)).await, answer(200, held));
    assert_eq!(get(&runtime, "/health", Some("wrong")).await.status, 401);
}

#[tokio::test]
async fn variables_are_shown_by_name_and_digest() {
    let runtime = runtime();
    post(&runtime, "/integrations/sync", &push(AGENT, 3, &json!({ "A": "hunter2" }))).await;
    let shown = get(&runtime, "/env", Some(TOKEN)).await;
    assert_eq!(shown, answer(200, json!({ "generation": 3, "env": { "A": sha256("hunter2") } })));
    let shown = get(&runtime, "/integrations", Some(TOKEN)).await;
    assert_eq!((shown.status, &shown.body["integrations"][0]["provider"]), (200, &json!("slack")));
}

#[tokio::test]
async fn nothing_is_shown_without_the_token() {
    let runtime = runtime();
    for path in ["/env", "/integrations", "/events"] {
        for token in [None, Some("wrong")] {
            assert_eq!(get(&runtime, path, token).await.status, 401, "{path}");
        }
    }
    assert_eq!(get(&runtime, "/exec", Some(TOKEN)).await.status, 404);
}

#[tokio::test]
async fn debug_shows_no_value() {
    let runtime = runtime();
    post(&runtime, "/integrations/sync", &push(AGENT, 3, &json!({ "A": "hunter2" }))).await;
    let value = runtime.handle().env_value("A").unwrap();
    assert!(!format!("{value:?}").contains("hunter2"));
}
