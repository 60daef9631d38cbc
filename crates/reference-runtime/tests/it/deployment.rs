//! `POST /deployment`.

use serde_json::{Value, json};

use crate::support::{AGENT, TOKEN, answer, digest, exchange, post, runtime};

fn deployment(servers: &Value) -> Value {
    json!({ "agent_id": AGENT, "digest": digest(&json!({ "mcpServers": servers })), "mcpServers": servers })
}

#[tokio::test]
async fn a_document_is_taken_and_confirmed_by_its_digest() {
    let runtime = runtime();
    let servers =
        json!({ "gitlab": { "args": ["-y"], "command": "no-such-program", "env": { "GITLAB_TOKEN": "glpat-1" } } });
    let document = deployment(&servers);
    let confirmed = answer(200, json!({ "applied": true, "digest": document["digest"] }));
    assert_eq!(post(&runtime, "/deployment", &document).await, confirmed);
    runtime.handle().wait_for_deployment(document["digest"].as_str().unwrap()).await;
    let held = runtime.handle().deployment().unwrap();
    assert_eq!((held.agent.to_string().as_str(), held.names()), (AGENT, vec!["gitlab"]));
    assert!(!format!("{held:?}").contains("glpat-1"));
}

#[tokio::test]
async fn a_document_that_was_changed_on_the_way_is_refused() {
    let runtime = runtime();
    let mut changed = deployment(&json!({}));
    changed["mcpServers"] = json!({ "evil": { "command": "sh" } });
    for refused in [changed, json!({}), json!({ "agent_id": AGENT, "mcpServers": {} })] {
        assert_eq!(post(&runtime, "/deployment", &refused).await.status, 400, "{refused}");
    }
    let body = deployment(&json!({})).to_string();
    let unauthorised = exchange(runtime.address(), "POST /deployment", Some("wrong"), body.as_bytes()).await.unwrap();
    assert_eq!(unauthorised.status, 401);
    assert!(runtime.handle().deployment().is_none());
    assert_eq!(exchange(runtime.address(), "POST /deployment", Some(TOKEN), b"nonsense").await.unwrap().status, 400);
}
