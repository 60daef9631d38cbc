//! Recorded requests, and what must become of them.

use nora_kernel::{Secret, Timestamp};

use super::{
    ChannelKeys, HandshakeMethod, InboundEvent, InboundHeaders, InboundRequest, Received, RefusalReason, Reply,
};

/// A recorded request with its secret, and what must become of it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Vector {
    /// What it is.
    pub name: String,
    /// Where it comes from.
    pub origin: VectorOrigin,
    /// The request's method.
    pub method: HandshakeMethod,
    /// The channel's URL.
    pub url: String,
    /// The query, without the `?`.
    pub query: String,
    /// The headers, in the order of their names.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// The secret or public key it is verified with. It is public, like everything in a manifest.
    pub secret: Option<String>,
    /// The `verify_token` of its channel.
    pub verify_token: Option<String>,
    /// The time of its arrival.
    pub now: Timestamp,
    /// What must become of it.
    pub expected: Expected,
}

/// Who made a vector. Ours is never among them: what an engine signs proves nothing about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VectorOrigin {
    /// It stands in the vendor's documentation, or in the tests of a library for it.
    Published,
    /// Another implementation made it, from what the vendor says of its signatures.
    Computed,
}

/// What must become of a recorded request.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Expected {
    /// An event; what is given must be found in it.
    Event {
        /// Its delivery id.
        delivery_id: Option<String>,
        /// Its type.
        event_type: Option<String>,
        /// Its ordering key.
        ordering_key: Option<String>,
        /// What it says.
        content: Option<String>,
        /// Who says it.
        sender: Option<String>,
    },
    /// An answer with this status and this body.
    Answer {
        /// The status.
        status: u16,
        /// The body; empty for none.
        body: String,
    },
    /// A handshake that brings this secret.
    Secret(String),
    /// A signature that is right, whatever the rest of the request is: not every published example has a body that
    /// its service would send.
    Signature,
}

impl Vector {
    /// Hands the request, what its channel verifies with, and the time of its arrival to `receive`.
    pub fn play<T>(&self, receive: impl FnOnce(&InboundRequest<'_>, &ChannelKeys<'_>, Timestamp) -> T) -> T {
        let headers: InboundHeaders<'_> =
            self.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        let request = InboundRequest {
            method: self.method,
            url: &self.url,
            query: &self.query,
            headers: &headers,
            body: &self.body,
        };
        let [secret, verify_token] = [&self.secret, &self.verify_token].map(|text| text.clone().map(Secret::new));
        let secrets: Vec<&Secret> = secret.iter().collect();
        let keys = ChannelKeys {
            secrets: &secrets,
            verify_token: verify_token.as_ref(),
            unverified: self.secret.is_none() && !matches!(self.expected, Expected::Secret(_)),
            awaiting_handshake: matches!(self.expected, Expected::Secret(_)),
        };
        receive(&request, &keys, self.now)
    }

    /// How what became of the request differs from what must.
    pub(crate) fn differences(&self, received: &Received, said: &(String, Option<String>)) -> Vec<String> {
        match (&self.expected, received) {
            (Expected::Event { .. }, Received::Event(event)) => self.differing_members(event, said),
            (Expected::Answer { status, body }, Received::Answer(reply)) => differing_reply(*status, body, reply),
            (Expected::Secret(wanted), Received::Enrol { secret, .. }) if secret.expose() == wanted => Vec::new(),
            (Expected::Signature, Received::Refused(refusal)) if refusal.reason == RefusalReason::BadBody => Vec::new(),
            (Expected::Signature, Received::Event(_) | Received::Answer(_)) => Vec::new(),
            (_, Received::Refused(refusal)) => vec![format!("it was refused: {}", refusal.reason.as_str())],
            (wanted, _) => vec![format!("expected {}, came to {}", wanted.named(), named(received))],
        }
    }

    fn differing_members(&self, event: &InboundEvent, (content, sender): &(String, Option<String>)) -> Vec<String> {
        let Expected::Event { delivery_id, event_type, ordering_key, content: said, sender: by } = &self.expected
        else {
            return Vec::new();
        };
        let is_verified = self.secret.is_none() || event.verified_by == Some(0);
        let members = [
            ("delivery_id", delivery_id, event.delivery_id.as_ref()),
            ("event_type", event_type, event.event_type.as_ref()),
            ("ordering_key", ordering_key, event.ordering_key.as_ref()),
            ("content", said, Some(content)),
            ("sender", by, sender.as_ref()),
        ];
        let members = members.into_iter().filter(|(_, wanted, found)| wanted.is_some() && wanted.as_ref() != *found);
        let members = members.map(|(name, wanted, found)| format!("{name}: expected {wanted:?}, found {found:?}"));
        let unverified = (!is_verified).then(|| "it was not verified by its secret".to_owned());
        members.chain(unverified).collect()
    }
}

fn differing_reply(status: u16, body: &str, reply: &Reply) -> Vec<String> {
    let found = String::from_utf8_lossy(&reply.body);
    let differs = reply.status != status || found != body;
    let difference = || format!("expected the answer {status} {body:?}, found {} {found:?}", reply.status);
    differs.then(difference).into_iter().collect()
}

impl Expected {
    const fn named(&self) -> &'static str {
        match self {
            Self::Event { .. } => "an event",
            Self::Answer { .. } => "an answer",
            Self::Secret(_) => "a secret",
            Self::Signature => "a signature",
        }
    }
}

const fn named(received: &Received) -> &'static str {
    match received {
        Received::Event(_) => "an event",
        Received::Answer(_) => "an answer",
        Received::Enrol { .. } => "a secret",
        Received::Refused(_) => "a refusal",
    }
}
