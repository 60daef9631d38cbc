//! The gateway answers what was recorded to what was recorded.

use futures_util::{SinkExt as _, StreamExt as _};
use nora_testkit_runtimes::fixtures::{self, Sender};
use nora_testkit_runtimes::{Gateway, GatewaySettings, Journal, Reach};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, client_async};

struct Client(WebSocketStream<TcpStream>);

impl Client {
    async fn of(gateway: &Gateway) -> Self {
        let url = gateway.url();
        let stream = TcpStream::connect(url.trim_start_matches("ws://")).await.unwrap();
        Self(client_async(url, stream).await.unwrap().0)
    }

    async fn say(&mut self, frame: &Value) {
        self.0.send(Message::text(frame.to_string())).await.unwrap();
    }

    /// The next frame that is no event, or the code of the close.
    async fn hear(&mut self) -> Result<Value, u16> {
        loop {
            match self.0.next().await.unwrap().unwrap() {
                Message::Text(text) => {
                    let frame: Value = serde_json::from_str(&text).unwrap();
                    if frame["type"] != "event" {
                        return Ok(frame);
                    }
                }
                Message::Close(frame) => return Err(frame.unwrap().code.into()),
                _ => {}
            }
        }
    }
}

fn gateway_settings() -> GatewaySettings {
    let paired = vec![fixtures::DEVICE_ID.to_owned()];
    GatewaySettings { reach: Reach::Remote, paired, ..GatewaySettings::default() }
}

async fn gateway(settings: GatewaySettings) -> Gateway {
    Gateway::start(settings, Journal::new()).await
}

fn recorded(sender: Sender) -> Vec<Value> {
    fixtures::openclaw_session().into_iter().filter(|(by, _)| *by == sender).map(|(_, frame)| frame).collect()
}

fn connect() -> Value {
    recorded(Sender::Client).remove(0)
}

/// The recorded `connect` without the proof, which answers another challenge.
fn connect_without_device() -> Value {
    let mut frame = connect();
    frame["params"].as_object_mut().unwrap().remove("device");
    frame
}

/// Paths of members, so that two frames can be compared in their form.
fn shape(value: &Value) -> Vec<String> {
    let Some(object) = value.as_object() else { return Vec::new() };
    let below = |(name, value): (&String, &Value)| {
        let deeper = shape(value).into_iter().map(move |path| format!("{name}/{path}"));
        std::iter::once(name.clone()).chain(deeper).collect::<Vec<_>>()
    };
    object.iter().flat_map(below).collect()
}

#[tokio::test]
async fn the_recorded_calls_get_the_recorded_answers() {
    let gateway = gateway(GatewaySettings::default()).await;
    let mut client = Client::of(&gateway).await;
    client.say(&connect_without_device()).await;
    let hello = client.hear().await.unwrap();
    assert_eq!((&hello["ok"], &hello["payload"]["type"]), (&json!(true), &json!("hello-ok")));
    let (calls, answers) = (recorded(Sender::Client), recorded(Sender::Gateway));
    for call in &calls[1..] {
        client.say(call).await;
        let answer = client.hear().await.unwrap();
        let expected = answers.iter().find(|answer| answer["id"] == call["id"]).unwrap();
        assert_eq!(shape(&answer), shape(expected));
        let again = client.hear().await.unwrap();
        assert_eq!(again["id"], call["id"], "some methods answer twice");
    }
}

#[tokio::test]
async fn a_hello_says_what_the_recorded_one_says() {
    let gateway = gateway(GatewaySettings::default()).await;
    let mut client = Client::of(&gateway).await;
    client.say(&connect_without_device()).await;
    let hello = shape(&client.hear().await.unwrap());
    let recorded = recorded(Sender::Gateway);
    let unread = ["server/buildId", "server/controlUiBuildSource", "auth/deviceToken", "auth/issuedAtMs"];
    for path in shape(&recorded[1]) {
        let is_read = !unread.iter().any(|unread| path.ends_with(unread));
        assert!(!is_read || hello.contains(&path), "{path}");
    }
}

#[tokio::test]
async fn strangers_get_the_recorded_refusals() {
    let refusals = fixtures::openclaw_refusals();
    let code = |index: usize| refusals[index]["details"]["code"].clone();
    let mut old = connect_without_device();
    old["params"]["maxProtocol"] = json!(3);
    let mut wrong = connect_without_device();
    wrong["params"]["auth"]["password"] = json!("wrong");
    let cases = [
        (old, code(0), 1002),
        (wrong, code(2), 1008),
        // Its signature is of another challenge.
        (connect(), code(3), 1008),
    ];
    for (frame, code, close) in cases {
        let gateway = gateway(gateway_settings()).await;
        let mut client = Client::of(&gateway).await;
        client.say(&frame).await;
        let refused = client.hear().await.unwrap();
        assert_eq!((&refused["ok"], &refused["error"]["details"]["code"]), (&json!(false), &code));
        assert_eq!(client.hear().await, Err(close));
    }
}

#[tokio::test]
async fn a_member_it_does_not_know_is_refused() {
    let gateway = gateway(GatewaySettings::default()).await;
    let mut client = Client::of(&gateway).await;
    client.say(&connect_without_device()).await;
    client.hear().await.unwrap();
    let set = json!({ "type": "req", "id": "1", "method": "secrets.store.set", "params":
        { "name": "A", "value": "a", "kind": "env", "note": "" } });
    client.say(&set).await;
    assert_eq!(client.hear().await.unwrap()["error"]["code"], "INVALID_REQUEST");
    assert!(gateway.entries().is_empty());
}

#[tokio::test]
async fn without_a_device_nothing_is_granted_from_elsewhere() {
    let gateway = gateway(gateway_settings()).await;
    let mut client = Client::of(&gateway).await;
    client.say(&connect_without_device()).await;
    let hello = client.hear().await.unwrap();
    assert_eq!((&hello["ok"], &hello["payload"]["auth"]["scopes"]), (&json!(true), &json!([])));
    client.say(&json!({ "type": "req", "id": "1", "method": "secrets.store.list", "params": {} })).await;
    assert_eq!(client.hear().await.unwrap()["error"]["code"], "FORBIDDEN");
}
