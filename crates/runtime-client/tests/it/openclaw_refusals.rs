//! Kind `openclaw`: what a gateway's refusals, and its silence, are taken for.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use nora_integrations::ports::{FailureClass, PushError, RuntimeAddress, RuntimeClient as _};
use nora_kernel::address::{Endpoint, Scheme};
use nora_testkit_runtimes::fixtures::{self, Sender};
use nora_testkit_runtimes::{GatewaySettings, Reach};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_tungstenite::accept_async;
use tokio_tungstenite::tungstenite::Message;

use crate::gateways::{Keeper, address, gateway, paired, secret};
use crate::support::{Book, failed, push, runtimes};

async fn refusal(address: RuntimeAddress) -> PushError {
    runtimes().apply(&address, &push(1, &[("A", "a")]), &Book::default()).await.unwrap_err()
}

fn waiting(class: FailureClass, wait: Duration) -> PushError {
    PushError::Failed { class, retry_after: Some(wait) }
}

/// A peer that challenges, hears one frame, answers it with this, and goes. What it heard comes out of the task.
async fn scripted(answer: impl FnOnce(&Value) -> Value + Send + 'static) -> (String, JoinHandle<Value>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    let task = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut socket = accept_async(stream).await.unwrap();
        let challenge = fixtures::openclaw_session().remove(0).1;
        socket.send(Message::text(challenge.to_string())).await.unwrap();
        let heard = socket.next().await.unwrap().unwrap();
        let heard: Value = serde_json::from_str(heard.to_text().unwrap()).unwrap();
        let _ = socket.send(Message::text(answer(&heard).to_string())).await;
        heard
    });
    (url, task)
}

fn at(url: &str) -> RuntimeAddress {
    let gateway = nora_integrations::ports::GatewayAddress {
        url: Endpoint::parse(url, Scheme::WebSocket).unwrap(),
        token: secret(fixtures::SECRET),
        device_key: secret(fixtures::DEVICE_SEED),
    };
    RuntimeAddress {
        agent: crate::support::agent(),
        kind: nora_agents::RuntimeKind::Openclaw,
        url: None,
        token: None,
        gateway: Some(gateway),
    }
}

#[tokio::test]
async fn the_first_frame_is_the_recorded_one() {
    let (url, heard) = scripted(|_| json!({})).await;
    refusal(at(&url)).await;
    let mut heard = heard.await.unwrap();
    let recorded = fixtures::openclaw_session().into_iter().find(|(by, _)| *by == Sender::Client).unwrap().1;
    heard["id"] = recorded["id"].clone();
    assert_eq!(heard, recorded);
}

#[tokio::test]
async fn every_recorded_refusal_has_its_class() {
    let expected = [
        failed(FailureClass::UnsupportedRuntime),
        failed(FailureClass::UnsupportedRuntime),
        failed(FailureClass::Auth),
        failed(FailureClass::Auth),
        failed(FailureClass::Timeout),
        failed(FailureClass::NotPaired),
        failed(FailureClass::NotAuthorised),
        waiting(FailureClass::RateLimited, Duration::from_millis(59_841)),
        failed(FailureClass::Rejected),
        failed(FailureClass::Rejected),
        waiting(FailureClass::Starting, Duration::from_millis(500)),
    ];
    let refusals = fixtures::openclaw_refusals();
    assert_eq!(refusals.len(), expected.len());
    for (error, expected) in refusals.into_iter().zip(expected) {
        let shown = error.to_string();
        let (url, _) =
            scripted(move |heard| json!({ "type": "res", "id": heard["id"], "ok": false, "error": error })).await;
        assert_eq!(refusal(at(&url)).await, expected, "{shown}");
    }
}

#[tokio::test]
async fn an_answer_of_another_form_confirms_nothing() {
    let answers: [fn(&Value) -> Value; 3] = [
        |heard| json!({ "type": "res", "id": heard["id"], "ok": true }),
        |heard| json!({ "type": "res", "id": heard["id"], "ok": true, "payload": { "protocol": "4" } }),
        |heard| json!({ "type": "res", "id": heard["id"], "ok": true, "payload": { "protocol": 5 } }),
    ];
    let expected = [FailureClass::BadAnswer, FailureClass::BadAnswer, FailureClass::UnsupportedRuntime];
    for (answer, expected) in answers.into_iter().zip(expected) {
        let (url, _) = scripted(answer).await;
        assert_eq!(refusal(at(&url)).await, failed(expected));
    }
}

#[tokio::test]
async fn a_gateway_that_does_not_know_us_is_not_tried_again() {
    let unpaired = gateway(GatewaySettings { paired: Vec::new(), ..paired() }).await;
    let mut keeper = Keeper::of(address(&unpaired));
    assert_eq!(keeper.push(&[]).await, Err(failed(FailureClass::NotPaired)));
    unpaired.pair(fixtures::DEVICE_ID);
    assert_eq!(keeper.push(&[]).await, Ok(Vec::new()));

    keeper.address.gateway.as_mut().unwrap().device_key = None;
    assert_eq!(keeper.push(&[]).await, Err(failed(FailureClass::NotAuthorised)));
    keeper.address.gateway.as_mut().unwrap().token = secret("wrong");
    assert_eq!(keeper.push(&[]).await, Err(failed(FailureClass::Auth)));
    for class in [FailureClass::NotPaired, FailureClass::NotAuthorised, FailureClass::Auth] {
        assert!(class.is_permanent());
    }
}

#[tokio::test]
async fn too_many_wrong_secrets_are_waited_out() {
    let gateway = gateway(GatewaySettings { reach: Reach::Local, ..GatewaySettings::default() }).await;
    let mut address = address(&gateway);
    address.gateway.as_mut().unwrap().token = secret("wrong");
    let mut keeper = Keeper::of(address);
    for _ in 0..10 {
        assert_eq!(keeper.push(&[]).await, Err(failed(FailureClass::Auth)));
    }
    assert_eq!(keeper.push(&[]).await, Err(waiting(FailureClass::RateLimited, Duration::from_mins(5))));
}

#[tokio::test]
async fn a_gateway_on_its_way_up_is_asked_again() {
    let mut gateway = gateway(paired()).await;
    gateway.starts_slowly(1);
    let mut keeper = Keeper::of(address(&gateway));
    assert_eq!(keeper.push(&[]).await, Err(waiting(FailureClass::Starting, Duration::from_millis(500))));
    assert_eq!(keeper.push(&[]).await, Ok(Vec::new()));
    gateway.stop().await;
    assert_eq!(keeper.push(&[]).await, Err(failed(FailureClass::Refused)));
    gateway.restart().await;
    assert_eq!(keeper.push(&[]).await, Ok(Vec::new()));
}

#[tokio::test]
async fn what_is_no_gateway_is_told_from_one() {
    let (peer, _) = crate::support::once(b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n".to_vec()).await;
    assert_eq!(refusal(at(&format!("ws://{peer}"))).await, failed(FailureClass::ServerError));
    let (peer, _) = crate::support::once(b"HTTP/1.1 403 No\r\ncontent-length: 0\r\n\r\n".to_vec()).await;
    assert_eq!(refusal(at(&format!("ws://{peer}"))).await, failed(FailureClass::Rejected));
    let (peer, _) = crate::support::once(b"nonsense\r\n\r\n".to_vec()).await;
    assert_eq!(refusal(at(&format!("ws://{peer}"))).await, failed(FailureClass::BadAnswer));
    assert_eq!(refusal(at("ws://203.0.113.7:18789")).await, failed(FailureClass::BlockedAddress));
    assert_eq!(refusal(at("ws://no-such-host.invalid:18789")).await, failed(FailureClass::Dns));
}
