//! Webhooks: signed as GitHub signs them, no two alike.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use bytes::Bytes;
use http::{HeaderValue, Request};
use http_body_util::Full;
use nora_provider_sdk::signature::hmac_sha256;
use serde::Deserialize;
use serde_json::json;

use super::{CONNECTIONS, Scenario, World, bare_post};
use crate::load::{Connection, Requests};
use crate::world::{agent, post, request};

/// How many channels take them, so that none meets its limit.
const CHANNELS: u64 = 100;
const SECRET: &str = "a-signing-secret-of-the-usual-length";
/// How much text an event carries: a small one of GitHub's.
const TEXT: usize = 900;

/// Channels that take webhooks.
pub(super) struct Webhooks {
    channels: Arc<[String]>,
}

#[derive(Deserialize)]
struct Channel {
    id: String,
}

impl Webhooks {
    /// Of the scenarios below.
    pub(super) const NAMES: [&str; 3] = ["webhook-16", "webhook-128", "channel-lookup"];

    /// Opens a channel for each of the first agents.
    pub(super) async fn open(world: &World) -> Result<Self> {
        let mut connection = Connection::open(world.server).await?;
        let mut channels = Vec::new();
        for number in 0..CHANNELS.min(world.agents) {
            let path = format!("/api/agents/{}/channels", agent(number));
            let channel = json!({ "type": "github", "name": "Bench", "config": { "signing_secret": SECRET } });
            let answer = connection.ask(post(&path, &world.key, &channel)).await.context("a channel is not opened")?;
            channels.push(serde_json::from_slice::<Channel>(&answer).context("a channel does not parse")?.id);
        }
        Ok(Self { channels: channels.into() })
    }

    /// Verified, kept durably, and only then answered.
    pub(super) fn accepted_from(&self, connections: u32) -> Scenario {
        Scenario {
            name: if connections == 128 { "webhook-128" } else { "webhook-16" },
            control: "rows inserted one by one",
            connections,
            target: (connections == 128).then_some(2.0),
            control_does_less: false,
            is_refused: false,
            tidy: None,
            server: self.signed_with(SECRET),
            bare: Arc::new(|number| bare_post("/insert/17", body(number))),
        }
    }

    /// Found, and refused for its signature: what anybody on the internet can make the server do.
    pub(super) fn looked_up(&self) -> Scenario {
        Scenario {
            name: "channel-lookup",
            control: "bare handler",
            connections: CONNECTIONS,
            target: None,
            control_does_less: true,
            is_refused: true,
            tidy: None,
            server: self.signed_with("another secret than the channel has"),
            bare: Arc::new(|number| bare_post("/constant/17", body(number))),
        }
    }

    fn signed_with(&self, secret: &'static str) -> Requests {
        let channels = Arc::clone(&self.channels);
        Arc::new(move |number| {
            let position = usize::try_from(number).unwrap_or_default() % channels.len().max(1);
            let channel = channels.get(position).map(String::as_str).unwrap_or_default();
            event(channel, secret, number)
        })
    }
}

fn body(number: u64) -> String {
    format!(r#"{{"action":"opened","number":{number},"text":"{:x<TEXT$}"}}"#, "")
}

fn event(channel: &str, secret: &str, number: u64) -> Request<Full<Bytes>> {
    let body = body(number);
    let signature = format!("sha256={}", hex::encode(hmac_sha256(secret.as_bytes(), body.as_bytes())));
    let mut request = request(http::Method::POST, &format!("/api/webhooks/{channel}"), "", body.into());
    let headers = request.headers_mut();
    for (name, value) in [
        ("x-github-event", "issues".to_owned()),
        ("x-github-delivery", format!("00000000-0000-4000-8000-{number:012x}")),
        ("x-hub-signature-256", signature),
    ] {
        headers.extend(HeaderValue::from_str(&value).ok().map(|value| (http::HeaderName::from_static(name), value)));
    }
    request
}
