//! A model that has one idea: to look at the hash of a variable.

use e2e::{Request, Stub, answer};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;

/// Starts a model that asks its agent for the SHA-256 of `variable` and repeats what it is told.
pub(crate) async fn start(variable: &str) -> Stub {
    let command = format!("printf %s \"${variable}\" | sha256sum");
    Stub::start(move |request, mut stream| {
        let said = reply(&request, &command);
        async move {
            // An agent that does not wait any more does not want the answer either.
            let _ = stream.write_all(&said).await;
        }
    })
    .await
}

fn reply(request: &Request, command: &str) -> Vec<u8> {
    let asked: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let (message, end) = if let Some(text) = told(&asked) {
        (json!({ "role": "assistant", "content": text }), "stop")
    } else {
        let arguments = json!({ "command": command }).to_string();
        let call = json!({ "index": 0, "id": "call_1", "type": "function",
                "function": { "name": "exec", "arguments": arguments } });
        (json!({ "role": "assistant", "content": null, "tool_calls": [call] }), "tool_calls")
    };
    let chunk = |delta: &Value, end: Option<&str>| {
        let choice = json!({ "index": 0, "delta": delta, "finish_reason": end });
        let chunk = json!({ "id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m",
            "choices": [choice] });
        format!("data: {chunk}\n\n")
    };
    let body = [chunk(&message, None), chunk(&json!({}), Some(end)), "data: [DONE]\n\n".to_owned()].concat();
    answer(200, &[("content-type", "text/event-stream")], &body)
}

/// What the last tool that was called has said, if one was.
fn told(asked: &Value) -> Option<String> {
    let mut said = asked["messages"].as_array()?.iter().filter(|message| message["role"] == "tool");
    said.next_back().map(|message| message["content"].to_string())
}
