//! The frames of a gateway's WebSocket. Each is a JSON text; a gateway refuses members it does not know.

use std::borrow::Cow;
use std::time::Duration;

use nora_kernel::Secret;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize, Serializer};

/// A call.
#[derive(Serialize)]
pub(super) struct Request<'a, P> {
    #[serde(rename = "type")]
    kind: &'static str,
    id: &'a str,
    method: &'a str,
    params: &'a P,
}

impl<'a, P: Serialize> Request<'a, P> {
    pub(super) const fn new(id: &'a str, method: &'a str, params: &'a P) -> Self {
        Self { kind: "req", id, method, params }
    }
}

/// What a frame is, without what it carries.
#[derive(Deserialize)]
struct Head<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    id: Option<Cow<'a, str>>,
    ok: Option<bool>,
    error: Option<RpcError>,
    #[serde(borrow)]
    event: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Carried<T> {
    payload: T,
}

/// Why a gateway refused a call. Its message is a peer's text and is not kept.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RpcError {
    #[serde(default)]
    pub(super) code: String,
    #[serde(default)]
    pub(super) details: Details,
    #[serde(default)]
    retry_after_ms: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Details {
    pub(super) code: Option<String>,
    pub(super) reason: Option<String>,
    pub(super) limit: Option<String>,
    pub(super) expected_protocol: Option<u32>,
}

impl RpcError {
    /// Whether a write was made and the running gateway did not take it over: it says neither why it is unavailable nor
    /// for how long.
    pub(super) fn is_only_half_done(&self) -> bool {
        self.code == "UNAVAILABLE" && self.retry_after_ms.is_none() && self.details.reason.is_none()
    }

    pub(super) fn retry_after(&self) -> Option<Duration> {
        self.retry_after_ms.map(Duration::from_millis)
    }
}

/// How a gateway answered a call.
pub(super) enum Outcome<T> {
    Accepted(T),
    Refused(RpcError),
    /// Our own, not the gateway's: what it carries does not have the form it should.
    Malformed,
}

/// The answer to the call `id`, if that is what the frame is. Frames that are no JSON are none of ours.
pub(super) fn answer<T: DeserializeOwned>(text: &str, id: &str) -> Option<Outcome<T>> {
    let head: Head<'_> = serde_json::from_str(text).ok()?;
    if head.kind != "res" || head.id.as_deref() != Some(id) {
        return None;
    }
    if head.ok != Some(true) {
        return Some(Outcome::Refused(head.error.unwrap_or_default()));
    }
    let carried = serde_json::from_str(text).map(|Carried { payload }| Outcome::Accepted(payload));
    Some(carried.unwrap_or(Outcome::Malformed))
}

/// What the event `name` carries, if that is what the frame is.
pub(super) fn event<T: DeserializeOwned>(text: &str, name: &str) -> Option<T> {
    let head: Head<'_> = serde_json::from_str(text).ok()?;
    let is_it = head.kind == "event" && head.event.as_deref() == Some(name);
    is_it.then(|| serde_json::from_str(text).ok()).flatten().map(|Carried { payload }| payload)
}

/// Writes a secret out, into memory that is overwritten.
pub(super) fn exposed<S: Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose())
}
