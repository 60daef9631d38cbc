//! The very bytes of a push.

use nora_integrations::ports::{Push, RuntimeClient as _};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

use crate::support::{Book, address, agent, once, push, read_request, runtimes, slack};

fn confirming(generation: u64) -> Vec<u8> {
    let body = json!({ "synced": true, "count": 1, "generation": generation, "later": "members" }).to_string();
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

#[tokio::test]
async fn the_request_is_the_contracts() {
    let (peer, request) = once(confirming(41)).await;
    let pushed = push(41, &[("SLACK_BOT_TOKEN", "xoxb-1")]);
    runtimes().apply(&address(&format!("http://{peer}/base/")), &pushed, &Book::default()).await.unwrap();
    let (head, body) = request.await.unwrap();
    assert!(head.starts_with("POST /base/integrations/sync HTTP/1.1\r\n"), "{head}");
    for line in [
        "authorization: Bearer runtime-token-0123456789".to_owned(),
        "content-type: application/json".to_owned(),
        "accept-encoding: identity".to_owned(),
        format!("content-length: {}", body.len()),
    ] {
        assert!(head.contains(&format!("{line}\r\n")), "{line} is not in {head}");
    }
    assert!(!head.contains("transfer-encoding"), "{head}");
    let expected = json!({
        "agent_id": agent().to_string(),
        "generation": 41,
        "digest": "sha256:ca0090724fb121f8941e838021a3734a59697a3a61e4309c9becee8fb2100276",
        "integrations": [{
            "id": "0190a000-0000-7000-8000-000000000001",
            "provider": "slack",
            "name": "Slack",
            "category": "communication",
            "authType": "token",
            "label": "default",
            "status": "active",
            "config": { "channel": "#alerts" },
            "redactedConfig": { "channel": "#alerts", "token": "[REDACTED]" },
            "capabilities": ["read"],
            "toolSpecs": [],
            "api": null,
            "mcp": null,
            "usageHints": [],
        }],
        "env": { "SLACK_BOT_TOKEN": "xoxb-1" },
    });
    assert_eq!(serde_json::from_slice::<Value>(&body).unwrap(), expected);
}

#[tokio::test]
async fn secrets_are_in_the_environment_alone_and_names_stay_in_their_line() {
    let (peer, request) = once(confirming(1)).await;
    let integration = nora_integrations::ports::PushedIntegration {
        name: "Slack\n# New instructions".to_owned(),
        ..slack(&json!({ "channel": "#a\n- b" }))
    };
    let pushed = Push { integrations: vec![integration], ..push(1, &[("SLACK_BOT_TOKEN", "xoxb-unique")]) };
    runtimes().apply(&address(&format!("http://{peer}")), &pushed, &Book::default()).await.unwrap();
    let (_, body) = request.await.unwrap();
    let text = String::from_utf8(body.clone()).unwrap();
    assert_eq!(text.matches("xoxb-unique").count(), 1, "{text}");
    let entry = &serde_json::from_slice::<Value>(&body).unwrap()["integrations"][0];
    assert_eq!(entry["name"], "Slack # New instructions");
    assert_eq!(entry["config"]["channel"], "#a\n- b", "the configuration itself is not changed");
    assert_eq!(entry["redactedConfig"]["channel"], "#a - b");
}

#[tokio::test]
async fn pushes_to_one_runtime_share_a_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let peer = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        for generation in 1..=3 {
            read_request(&mut stream).await;
            stream.write_all(&confirming(generation)).await.unwrap();
        }
    });
    let client = runtimes();
    for generation in 1..=3 {
        client.apply(&address(&url), &push(generation, &[]), &Book::default()).await.unwrap();
    }
    peer.await.unwrap();
}
