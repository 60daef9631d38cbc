//! Requests to a channel, for the tests of what becomes of them.

use nora_provider_sdk::webhook::{
    ChannelKeys, HandshakeMethod, InboundEvent, InboundHeaders, InboundRequest, Received, RefusalReason, Reply,
    VECTOR_URL, WebhookScheme,
};
use nora_provider_sdk::{Secret, Timestamp, signature};

use crate::support::{HEAD, TEST, TOKEN, manifest};

/// 2026-01-01T00:00:00Z.
pub(crate) const NOW: i64 = 1_767_225_600;

/// The scheme of a `[webhook]` table.
pub(crate) fn scheme(block: &str) -> WebhookScheme {
    manifest(&format!("{HEAD}{TOKEN}{TEST}[webhook]\n{block}")).webhook().unwrap().clone()
}

/// A request, and the channel it is sent to.
#[derive(Clone, Copy)]
pub(crate) struct Call<'a> {
    pub(crate) method: HandshakeMethod,
    pub(crate) query: &'a str,
    pub(crate) headers: &'a [(&'a str, &'a str)],
    pub(crate) body: &'a str,
    pub(crate) secrets: &'a [&'a str],
    pub(crate) verify_token: Option<&'a str>,
    pub(crate) unverified: bool,
    pub(crate) awaiting: bool,
    pub(crate) seconds: i64,
}

impl Default for Call<'_> {
    fn default() -> Self {
        Self {
            method: HandshakeMethod::Post,
            query: "",
            headers: &[],
            body: "{\"id\": \"evt_1\"}",
            secrets: &[],
            verify_token: None,
            unverified: false,
            awaiting: false,
            seconds: NOW,
        }
    }
}

impl Call<'_> {
    /// Hands the request over as the engine takes it.
    pub(crate) fn with<T>(&self, take: impl FnOnce(&InboundRequest<'_>, &ChannelKeys<'_>, Timestamp) -> T) -> T {
        let headers: InboundHeaders<'_> = self.headers.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
        let request = InboundRequest {
            method: self.method,
            url: VECTOR_URL,
            query: self.query,
            headers: &headers,
            body: self.body.as_bytes(),
        };
        let secrets: Vec<Secret> = self.secrets.iter().map(|text| Secret::new((*text).to_owned())).collect();
        let secrets: Vec<&Secret> = secrets.iter().collect();
        let token = self.verify_token.map(|text| Secret::new(text.to_owned()));
        let keys = ChannelKeys {
            secrets: &secrets,
            verify_token: token.as_ref(),
            unverified: self.unverified,
            awaiting_handshake: self.awaiting,
        };
        take(&request, &keys, Timestamp::from_microseconds(self.seconds * 1_000_000))
    }

    pub(crate) fn to(&self, scheme: &WebhookScheme) -> Received {
        self.with(|request, keys, now| scheme.receive(request, keys, now))
    }
}

pub(crate) fn event_of(scheme: &WebhookScheme, call: &Call<'_>) -> InboundEvent {
    match call.to(scheme) {
        Received::Event(event) => event,
        other => panic!("no event: {other:?}"),
    }
}

pub(crate) fn reply_of(scheme: &WebhookScheme, call: &Call<'_>) -> Reply {
    match call.to(scheme) {
        Received::Answer(reply) => reply,
        other => panic!("no answer: {other:?}"),
    }
}

/// Why a request is refused, if it is.
pub(crate) fn refusal_of(scheme: &WebhookScheme, call: &Call<'_>) -> Option<RefusalReason> {
    match call.to(scheme) {
        Received::Refused(refusal) => Some(refusal.reason),
        _ => None,
    }
}

/// The HMAC-SHA256 of `message`, in hexadecimal.
pub(crate) fn hmac(secret: &str, message: &str) -> String {
    hex::encode(signature::hmac_sha256(secret.as_bytes(), message.as_bytes()))
}
