//! Webhook events as runtimes get them.

use std::time::Duration;

use bytes::Bytes;
use nora_agents::RuntimeKind;
use nora_kernel::address::{Endpoint, Scheme};
use nora_kernel::{Secret, Timestamp};
use nora_runtime_client::RuntimeEvents;
use nora_webhooks::ports::{DeliveryError, DeliveryFailureClass, Message, Recipient, RuntimeDelivery as _};
use nora_webhooks::{Headers, Verdict};
use serde_json::{Value, json};

use crate::support::{agent, guard, once, runtime};

const EVENT: &str = "0190a000-0000-7000-8000-00000000000e";

fn events() -> RuntimeEvents {
    RuntimeEvents::new(guard()).unwrap()
}

fn recipient(kind: RuntimeKind, url: &str, token: &str) -> Recipient {
    let url = Some(Endpoint::parse(url, Scheme::Http).unwrap());
    Recipient { agent: agent(), kind, url, token: Some(Secret::new(token.to_owned())) }
}

fn message() -> Message {
    let header = |name: &str, value: &[u8]| (name.to_owned(), value.to_vec());
    Message {
        event: EVENT.parse().unwrap(),
        channel: "d5e6f7a8-b9c0-1234-defa-123456789012".parse().unwrap(),
        kind: "github".parse().unwrap(),
        delivery_id: Some("72d3162e".to_owned()),
        event_type: Some("push".to_owned()),
        content: "{\"ref\":\"refs/heads/main\"}".to_owned(),
        sender: None,
        verdict: Verdict::Verified,
        headers: Headers::from_iter([header("x-a", b"1"), header("x-b", b"\xff"), header("x-a", b"2")]),
        body: Bytes::from_static(b"{\"ref\":\"refs/heads/main\"}\xff\n"),
        received_at: Timestamp::from_microseconds(1_764_000_000_000_000),
        replay: false,
    }
}

async fn deliver_to(answer: &str) -> (Result<(), DeliveryError>, String, Value) {
    let (address, peer) = once(answer.as_bytes().to_vec()).await;
    let recipient = recipient(RuntimeKind::Nora, &format!("http://{address}/base"), "runtime-token");
    let ended = events().deliver(&recipient, &message()).await;
    let (head, body) = peer.await.unwrap();
    (ended, head, serde_json::from_slice(&body).unwrap())
}

fn answer(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

#[tokio::test]
async fn an_event_travels_as_the_contract_says() {
    let (ended, head, body) = deliver_to(&answer("200 OK", r#"{"received":true,"more":1}"#)).await;
    assert_eq!(ended, Ok(()));
    assert!(head.starts_with("POST /base/channels/receive HTTP/1.1\r\n"), "{head}");
    assert!(head.contains("authorization: Bearer runtime-token\r\n"), "{head}");
    let expected = json!({
        "eventId": EVENT,
        "channelId": "d5e6f7a8-b9c0-1234-defa-123456789012",
        "channelType": "github",
        "deliveryId": "72d3162e",
        "eventType": "push",
        "content": "{\"ref\":\"refs/heads/main\"}",
        "sender": null,
        "metadata": { "verdict": "verified" },
        "headers": { "x-a": "1, 2", "x-b": "\u{fffd}" },
        "body": "eyJyZWYiOiJyZWZzL2hlYWRzL21haW4iff8K",
        "receivedAt": "2025-11-24T16:00:00.000000Z",
        "replay": false,
    });
    assert_eq!(body, expected);
}

#[tokio::test]
async fn only_a_confirmation_is_one() {
    let class = |class| Err(DeliveryError { class, retry_after: None });
    for (status, body, expected) in [
        ("200 OK", r#"{"received":false}"#, DeliveryFailureClass::BadAnswer),
        ("200 OK", "", DeliveryFailureClass::BadAnswer),
        ("200 OK", "received", DeliveryFailureClass::BadAnswer),
        ("202 Accepted", r#"{"received":true}"#, DeliveryFailureClass::BadAnswer),
        ("302 Found", r#"{"received":true}"#, DeliveryFailureClass::BadAnswer),
        ("401 Unauthorized", "", DeliveryFailureClass::Auth),
        ("404 Not Found", "", DeliveryFailureClass::RuntimeError),
        ("500 Internal Server Error", r#"{"received":true}"#, DeliveryFailureClass::RuntimeError),
    ] {
        let (ended, ..) = deliver_to(&answer(status, body)).await;
        assert_eq!(ended, class(expected), "{status} {body}");
    }
    let busy = "HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n";
    let (ended, ..) = deliver_to(busy).await;
    let expected =
        DeliveryError { class: DeliveryFailureClass::RuntimeError, retry_after: Some(Duration::from_secs(7)) };
    assert_eq!(ended, Err(expected));
}

#[tokio::test]
async fn a_sidecar_is_sent_no_token() {
    let (address, peer) = once(answer("200 OK", r#"{"received":true}"#).into_bytes()).await;
    let recipient = recipient(RuntimeKind::Openclaw, &format!("http://{address}"), "gateway-side-token");
    assert_eq!(events().deliver(&recipient, &message()).await, Ok(()));
    let (head, _) = peer.await.unwrap();
    assert!(!head.to_ascii_lowercase().contains("authorization"), "{head}");
}

#[tokio::test]
async fn a_runtime_that_takes_no_events_is_not_asked() {
    let recipient = recipient(RuntimeKind::Hermes, "http://127.0.0.1:9", "token");
    let class = DeliveryFailureClass::UnsupportedRuntime;
    assert_eq!(events().deliver(&recipient, &message()).await, Err(DeliveryError { class, retry_after: None }));
}

#[tokio::test]
async fn the_reference_runtime_has_it_once() {
    let runtime = runtime();
    let recipient = recipient(RuntimeKind::Nora, &runtime.url(), crate::support::TOKEN);
    for _ in 0..2 {
        assert_eq!(events().deliver(&recipient, &message()).await, Ok(()));
    }
    runtime.handle().wait_for_event(EVENT).await;
    assert_eq!(runtime.handle().events().len(), 1);
}
