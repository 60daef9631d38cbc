//! `[[webhook.vectors]]`: what the webhook scheme is tried with.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Status, Text};
use crate::webhook::VectorOrigin;

/// A recorded request with its secret, and what must become of it: `[[webhook.vectors]]`. It is an event unless `reply`,
/// `enrols` or `signature_only` says otherwise.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VectorEntry {
    /// What it is, in a few words.
    pub name: Text,
    /// Where it comes from: `published` by the vendor or in the tests of a library for it, or `computed` by another
    /// implementation. Nothing that ours signed.
    pub origin: VectorOrigin,
    /// `GET`, `HEAD` or `POST`. `POST` unless given.
    pub method: Option<String>,
    /// The channel's URL. One that `nora_provider_sdk::webhook::VECTOR_URL` names unless given.
    pub url: Option<String>,
    /// The query, without the `?`.
    #[serde(default)]
    pub query: String,
    /// Headers.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The body. An empty one unless given.
    pub body: Option<String>,
    /// The body in Base64, where it is no text.
    pub body_base64: Option<Text>,
    /// The secret or public key. The channel verifies nothing unless given.
    pub secret: Option<String>,
    /// The channel's `verify_token`.
    pub verify_token: Option<String>,
    /// The time of arrival, in RFC 3339. The beginning of 2026 unless given.
    pub now: Option<Text>,
    /// The delivery id that must be found.
    pub delivery_id: Option<String>,
    /// The type of event that must be found.
    pub event_type: Option<String>,
    /// The ordering key that must be found.
    pub ordering_key: Option<String>,
    /// What the event must say.
    pub content: Option<String>,
    /// Who must say it.
    pub sender: Option<String>,
    /// The answer to a handshake or ping.
    pub reply: Option<ReplyEntry>,
    /// The secret that a handshake brings.
    pub enrols: Option<String>,
    /// `true`: only the signature must be right. For published examples whose body no event has.
    #[serde(default)]
    pub signature_only: bool,
}

/// An answer to a handshake or ping.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReplyEntry {
    /// Its status. `200` unless given.
    pub status: Option<Status>,
    /// Its body, byte for byte. None unless given.
    #[serde(default)]
    pub body: String,
}
