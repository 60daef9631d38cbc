//! `POST /integrations/sync`.

use nora_reference_runtime::RunningRuntime;
use serde_json::{Value, json};

use crate::support::{AGENT, OTHER_AGENT, TOKEN, answer, confirmed, digest, exchange, post, push, runtime};

async fn sync(runtime: &RunningRuntime, push: &Value) -> crate::support::Answer {
    post(runtime, "/integrations/sync", push).await
}

#[tokio::test]
async fn the_whole_state_is_applied() {
    let runtime = runtime();
    assert_eq!(
        sync(&runtime, &push(AGENT, 41, &json!({ "SLACK_BOT_TOKEN": "xoxb-1", "A": "a" }))).await,
        confirmed(41)
    );
    let handle = runtime.handle();
    assert_eq!(handle.env_names(), ["A", "SLACK_BOT_TOKEN"]);
    assert_eq!(handle.env_value("SLACK_BOT_TOKEN").unwrap().expose(), "xoxb-1");
    assert_eq!((handle.generation(), handle.agent()), (Some(41), Some(AGENT.parse().unwrap())));
    assert_eq!(handle.integrations()[0]["provider"], "slack");

    assert_eq!(sync(&runtime, &push(AGENT, 42, &json!({ "A": "b" }))).await, confirmed(42));
    assert_eq!(handle.env_names(), ["A"], "a push is the whole state, not a change");
    assert_eq!(handle.env_value("A").unwrap().expose(), "b");
}

#[tokio::test]
async fn an_empty_set_empties() {
    let runtime = runtime();
    sync(&runtime, &push(AGENT, 1, &json!({ "A": "a" }))).await;
    let digest = digest(&json!({ "env": {}, "integrations": [] }));
    let empty = json!({ "agent_id": AGENT, "generation": 2, "digest": digest, "integrations": [], "env": {} });
    let emptied = answer(200, json!({ "synced": true, "count": 0, "generation": 2 }));
    assert_eq!(sync(&runtime, &empty).await, emptied);
    assert!(runtime.handle().env_names().is_empty() && runtime.handle().integrations().is_empty());
}

#[tokio::test]
async fn generations_only_grow() {
    let runtime = runtime();
    assert_eq!(sync(&runtime, &push(AGENT, 7, &json!({ "A": "seven" }))).await, confirmed(7));
    assert_eq!(sync(&runtime, &push(AGENT, 6, &json!({ "A": "six" }))).await, answer(409, json!({ "generation": 7 })));
    assert_eq!(runtime.handle().env_value("A").unwrap().expose(), "seven");
    assert_eq!(sync(&runtime, &push(AGENT, 7, &json!({ "A": "again" }))).await, confirmed(7));
    assert_eq!(runtime.handle().env_value("A").unwrap().expose(), "again");
}

#[tokio::test]
async fn another_agent_starts_over() {
    let runtime = runtime();
    sync(&runtime, &push(AGENT, 90, &json!({ "A": "a" }))).await;
    assert_eq!(sync(&runtime, &push(OTHER_AGENT, 1, &json!({ "B": "b" }))).await, confirmed(1));
    assert_eq!(runtime.handle().env_names(), ["B"]);
}

#[tokio::test]
async fn a_push_is_refused_as_a_whole() {
    let runtime = runtime();
    sync(&runtime, &push(AGENT, 1, &json!({ "A": "kept" }))).await;
    let with = |member: &str, value: Value| {
        let mut push = push(AGENT, 2, &json!({ "A": "new" }));
        push[member] = value;
        push
    };
    let refused = [
        with("digest", "sha256:00".into()),
        with("env", json!({ "A": "tampered" })),
        with("integrations", json!([])),
        with("agent_id", "nobody".into()),
        with("generation", (-1).into()),
        with("generation", "2".into()),
        with("env", Value::Null),
        push(AGENT, 2, &json!({ "A": "new", "PATH": "/tmp" })),
        push(AGENT, 2, &json!({ "A": "new", "LD_PRELOAD": "/tmp/evil.so" })),
        push(AGENT, 2, &json!({ "A": "new", "lower": "x" })),
        push(AGENT, 2, &json!({ "A": "new", "B": "a\0b" })),
        push(AGENT, 2, &json!({ "A": "new", "B": 1 })),
        json!([]),
        json!({}),
    ];
    for push in refused {
        let refused = sync(&runtime, &push).await;
        assert_eq!(refused.status, 400, "{push}");
        assert!(!refused.body["error"].as_str().unwrap().contains("tampered"), "{refused:?}");
    }
    let truncated = push(AGENT, 2, &json!({})).to_string();
    let truncated = &truncated.as_bytes()[..truncated.len() - 1];
    let refused = exchange(runtime.address(), "POST /integrations/sync", Some(TOKEN), truncated).await.unwrap();
    assert_eq!(refused.status, 400);
    assert_eq!((runtime.handle().generation(), runtime.handle().env_names()), (Some(1), vec!["A".to_owned()]));
    assert_eq!(runtime.handle().env_value("A").unwrap().expose(), "kept");
}

#[tokio::test]
async fn the_digest_is_over_canonical_json() {
    let runtime = runtime();
    // Canonical: members sorted, no white space, 1.0 as 1, the shortest escapes.
    let canonical = r#"{"env":{"A":"é\n","B":"2"},"integrations":[{"config":{"a":1,"z":1e+30}}]}"#;
    let text = format!(
        r#"{{ "integrations": [ {{ "config": {{ "z": 1e30, "a": 1.0 }} }} ], "env": {{ "B": "2", "A": "\u00e9\u000a" }},
           "generation": 3, "agent_id": "{AGENT}", "digest": "{}", "later": true }}"#,
        crate::support::sha256(canonical)
    );
    let synced = exchange(runtime.address(), "POST /integrations/sync", Some(TOKEN), text.as_bytes()).await.unwrap();
    assert_eq!(synced, confirmed(3));
    assert_eq!(runtime.handle().env_value("A").unwrap().expose(), "é\n");
}

#[tokio::test]
async fn nobody_pushes_without_the_token() {
    let runtime = runtime();
    let body = push(AGENT, 1, &json!({})).to_string();
    for token in [None, Some(""), Some("wrong"), Some("runtime-token-012345678"), Some("runtime-token-01234567890")] {
        let answer = exchange(runtime.address(), "POST /integrations/sync", token, body.as_bytes()).await.unwrap();
        assert_eq!(answer.status, 401, "{token:?}");
    }
    assert_eq!(runtime.handle().generation(), None);
}

#[tokio::test]
async fn a_large_set_fits_and_an_absurd_one_does_not() {
    let runtime = runtime();
    let large = "x".repeat(3 * 1024 * 1024);
    assert_eq!(sync(&runtime, &push(AGENT, 1, &json!({ "A": large }))).await, confirmed(1));
    assert_eq!(runtime.handle().env_value("A").unwrap().expose().len(), large.len());
    let absurd = "x".repeat(41 * 1024 * 1024);
    // The answer may be lost: the runtime stops reading.
    let body = push(AGENT, 2, &json!({ "A": absurd })).to_string();
    let refused = exchange(runtime.address(), "POST /integrations/sync", Some(TOKEN), body.as_bytes()).await;
    assert!(refused.is_err() || refused.is_ok_and(|answer| answer.status == 413));
    assert_eq!(runtime.handle().generation(), Some(1));
}

#[tokio::test]
async fn a_test_can_wait_for_a_generation() {
    let runtime = runtime();
    let handle = runtime.handle().clone();
    let waiting = tokio::spawn(async move {
        handle.wait_for_generation(5).await;
        handle.generation()
    });
    sync(&runtime, &push(AGENT, 4, &json!({}))).await;
    sync(&runtime, &push(AGENT, 6, &json!({}))).await;
    assert_eq!(waiting.await.unwrap(), Some(6));
}
