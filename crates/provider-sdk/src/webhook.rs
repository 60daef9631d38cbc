//! How webhooks are verified, answered and told apart: schemes as data, and the one engine that runs over them.
//!
//! A [`WebhookScheme`] comes from a provider's manifest, or from a channel's configuration through a [`BuiltinType`].
//! [`WebhookScheme::receive`] is the engine: an [`InboundRequest`] and the [`ChannelKeys`] in, [`Received`] out. It does
//! no I/O and keeps nothing.
//!
//! ```
//! use nora_provider_sdk::webhook::{
//!     BuiltinType, ChannelKeys, HandshakeMethod, InboundHeaders, InboundRequest, Received,
//! };
//! use nora_provider_sdk::{Secret, Timestamp};
//!
//! let config = serde_json::json!({ "header": "X-Hub-Signature-256", "prefix": "sha256=" });
//! let scheme = BuiltinType::Webhook.scheme(config.as_object().ok_or("an object")?)?;
//! let signature = "sha256=ab8b1fd8d2efa79ba1b93413af71b90d0906e8d4ff7e82cf62a3a1a9d1e60b84";
//! let request = InboundRequest {
//!     method: HandshakeMethod::Post,
//!     url: "https://nora.example/api/webhooks/d5e6f7a8-b9c0-1234-defa-123456789012",
//!     query: "",
//!     headers: &InboundHeaders::from_iter([("x-hub-signature-256", signature.as_bytes())]),
//!     body: b"{}",
//! };
//! let secret = Secret::new("another secret than the sender's".to_owned());
//! let keys = ChannelKeys { secrets: &[&secret], ..ChannelKeys::default() };
//! let Received::Refused(refusal) = scheme.receive(&request, &keys, Timestamp::from_microseconds(0)) else {
//!     return Err("it is forged".into());
//! };
//! assert_eq!((refusal.reason.as_str(), refusal.status), ("mismatch", 400));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod answer;
mod body;
mod builtin;
mod content;
mod describe;
mod encoding;
mod event;
mod form;
mod handshake;
mod inbound;
mod json;
mod jwt;
mod load;
mod load_handshake;
mod load_vectors;
mod receive;
mod received;
mod secret;
mod signed;
mod vector;
mod verify;
mod way;

use crate::manifest::format;

pub use builtin::{BuiltinType, ConfigProblem};
pub use format::{BodyForm, KeyEncoding, ReplyForm, SignatureEncoding, StampUnit};
pub use handshake::{Handshake, HandshakeMethod, Match, Wanted};
pub use inbound::{ChannelKeys, InboundHeaders, InboundRequest};
pub(crate) use load::load;
pub use received::{InboundEvent, Received, Refusal, RefusalReason, Reply, Reverified};
pub use secret::WeakSecret;
pub use vector::{Expected, Vector, VectorOrigin};
pub use way::{
    Audience, HashAlgorithm, JwtAlgorithm, Key, SignatureAlgorithm, SignatureList, SignaturePlace, SignedPart,
    Timestamp, TimestampPlace, TokenPlace, Verification, VerificationMethod,
};

/// The largest body of a scheme that names no other, in bytes.
pub const DEFAULT_MAX_BODY: u32 = 1024 * 1024;
/// The longest header that verification reads, in bytes; a longer one is refused.
pub const MAX_HEADER: usize = 4096;
/// The most signatures of one request that are tried; with more it is refused.
pub const MAX_SIGNATURES: usize = 10;

/// The channel's URL in a recorded request that names no other.
pub const VECTOR_URL: &str = "https://nora.example/api/webhooks/d5e6f7a8-b9c0-1234-defa-123456789012";

/// Everything about a provider's webhooks.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct WebhookScheme {
    /// Ways to verify, at least one. The first whose header is present decides; there is no falling back.
    pub verify: Vec<Verification>,
    /// What tells one delivery from another, if anything does.
    pub delivery_id: Option<DeliveryId>,
    /// What kind of event it is.
    pub event_type: Option<Locator>,
    /// A JSON Pointer to what events are kept in order by; the whole channel is one order without it.
    pub ordering_key: Option<String>,
    /// What the event says, for an agent; its parts are run together.
    pub content: Option<Locator>,
    /// Who says it.
    pub sender: Option<Locator>,
    /// The bodies the provider sends.
    pub bodies: Vec<BodyForm>,
    /// Whether a body that says of no form that it has it, and does not look like JSON, is a form.
    pub undeclared_forms: bool,
    /// Whether a body may be empty.
    pub empty_body: bool,
    /// The largest body, in bytes.
    pub max_body: u32,
    /// The fewest bytes a secret must have; 0 where the vendor issues it.
    pub min_secret_bytes: u8,
    /// The status of an accepted request.
    pub accept_status: u16,
    /// The status of a refused request.
    pub reject_status: u16,
    /// Within how many seconds the provider wants its answer.
    pub reply_within_seconds: Option<u16>,
    /// Requests that want another answer than an event does.
    pub handshakes: Vec<Handshake>,
    /// Recorded requests, and what must become of them.
    pub vectors: Vec<Vector>,
    /// What a person must know to set it up; empty where there is nothing.
    pub notes: String,
}

/// What tells one delivery from another.
#[derive(Debug, Clone)]
pub struct DeliveryId {
    /// Where it is.
    pub locator: Locator,
    /// Whether the signature covers it. One it does not cover is combined with a digest of the body.
    pub signed: bool,
}

/// Where something is in a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Locator {
    /// The places.
    pub places: Vec<Place>,
    /// Whether the places are alternatives, in this order, or parts of one value.
    pub first_of: bool,
}

/// A place in a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A header; the name in lower case.
    Header(String),
    /// A JSON Pointer into the body.
    Pointer(String),
    /// A field of a form body.
    FormField(String),
}

impl WebhookScheme {
    /// The member of a channel's configuration that holds what verifies: `signing_secret`, or `public_key` where the
    /// key is public. `None` where nothing is entered: nothing is signed, keys are fetched, or a crate says otherwise.
    pub fn secret_field(&self) -> Option<&'static str> {
        self.verify.iter().find_map(|verification| verification.method.secret_field())
    }

    /// Whether the secret is born in a handshake and cannot be entered before.
    pub fn secret_comes_in_handshake(&self) -> bool {
        self.handshakes
            .iter()
            .any(|handshake| matches!(handshake, Handshake::SecretInHeader { .. } | Handshake::SecretInBody { .. }))
    }

    /// Whether a channel needs a `verify_token` for its handshake.
    pub fn needs_verify_token(&self) -> bool {
        self.handshakes.iter().any(|handshake| matches!(handshake, Handshake::EchoQuery { verify_token: Some(_), .. }))
    }
}
