//! What becomes of a request.

use nora_kernel::Secret;

/// What becomes of a request.
#[derive(Debug)]
pub enum Received {
    /// It is an event: store it, then answer with [`accept_status`](super::WebhookScheme::accept_status).
    Event(InboundEvent),
    /// It is a handshake or a ping. It is answered so, and nothing is stored.
    Answer(Reply),
    /// A handshake in which the channel's secret is born: keep the secret, then answer. Only a channel that
    /// [awaits](super::ChannelKeys::awaiting_handshake) it gets one.
    Enrol {
        /// The secret that verifies from now on.
        secret: Secret,
        /// The answer.
        reply: Reply,
    },
    /// It is not taken, and nothing is stored.
    Refused(Refusal),
}

/// An accepted event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboundEvent {
    /// Which of the channel's secrets verified it; `None` where the channel verifies nothing.
    pub verified_by: Option<usize>,
    /// Whether the stored request can be verified again: a secret that travelled with it is not stored.
    pub reverifiable: bool,
    /// What the sender calls this delivery: 255 bytes at most, without control characters. For people; two events that
    /// share it need not be the same.
    pub delivery_id: Option<String>,
    /// Two verified events of a channel with the same key are one. `None`: never the same as another.
    pub dedupe_key: Option<[u8; 32]>,
    /// What kind of event it is: 255 bytes at most, without control characters.
    pub event_type: Option<String>,
    /// Events with the same key are delivered in the order of their receipt: 255 bytes at most. `None` is a key too.
    pub ordering_key: Option<String>,
    /// The body to store in place of the one that arrived, where that held the secret.
    pub body_override: Option<Vec<u8>>,
    /// The headers to store, in order, names in lower case: those that carry credentials are gone or read `***`.
    pub masked_headers: Vec<(String, Vec<u8>)>,
}

/// An answer to a handshake.
#[derive(Debug)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The type of the body; `None` where there is no body.
    pub content_type: Option<&'static str>,
    /// A header that goes with it. Its value may be the channel's secret.
    pub header: Option<(String, Secret)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Reply {
    /// An answer without a body.
    pub(crate) const fn empty(status: u16) -> Self {
        Self { status, content_type: None, header: None, body: Vec::new() }
    }

    pub(crate) const fn text(body: String) -> Self {
        Self { status: 200, content_type: Some("text/plain; charset=utf-8"), header: None, body: body.into_bytes() }
    }

    pub(crate) fn json(status: u16, value: &serde_json::Value) -> Self {
        Self { status, content_type: Some("application/json"), header: None, body: value.to_string().into_bytes() }
    }
}

/// A request that is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// Why. It is for metrics and never told to the sender.
    pub reason: RefusalReason,
    /// The status of the answer: 400, or what this service's protocol demands for a signature that is wrong.
    pub status: u16,
}

/// Why a request is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RefusalReason {
    /// The channel has nothing to verify with.
    NoKey,
    /// The channel waits for its handshake, and this is none.
    AwaitingHandshake,
    /// No signature, token or credential came with it, or an empty one.
    MissingSignature,
    /// A header that must be there once is there twice.
    DoubledHeader,
    /// A header is longer than [`MAX_HEADER`](super::MAX_HEADER).
    OversizedHeader,
    /// The signature is not written as this service writes it, or there are more than
    /// [`MAX_SIGNATURES`](super::MAX_SIGNATURES).
    MalformedSignature,
    /// Something else that is signed is missing or not written as it should be: the time, an id, a claim.
    MalformedRequest,
    /// It was sent too long ago, or in the future.
    Stale,
    /// No secret of the channel made this signature.
    Mismatch,
    /// The body is empty, or not in a form this service sends.
    BadBody,
    /// A challenge that is not reflected, or a handshake whose token is wrong.
    BadHandshake,
    /// A GET or a HEAD that is no handshake of this scheme.
    UnexpectedMethod,
    /// The scheme wants something this engine does not have, such as keys fetched from elsewhere.
    Unsupported,
}

impl RefusalReason {
    /// Every reason.
    pub const ALL: [Self; 13] = [
        Self::NoKey,
        Self::AwaitingHandshake,
        Self::MissingSignature,
        Self::DoubledHeader,
        Self::OversizedHeader,
        Self::MalformedSignature,
        Self::MalformedRequest,
        Self::Stale,
        Self::Mismatch,
        Self::BadBody,
        Self::BadHandshake,
        Self::UnexpectedMethod,
        Self::Unsupported,
    ];

    /// The name in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoKey => "no_key",
            Self::AwaitingHandshake => "awaiting_handshake",
            Self::MissingSignature => "missing_signature",
            Self::DoubledHeader => "doubled_header",
            Self::OversizedHeader => "oversized_header",
            Self::MalformedSignature => "malformed_signature",
            Self::MalformedRequest => "malformed_request",
            Self::Stale => "stale",
            Self::Mismatch => "mismatch",
            Self::BadBody => "bad_body",
            Self::BadHandshake => "bad_handshake",
            Self::UnexpectedMethod => "unexpected_method",
            Self::Unsupported => "unsupported",
        }
    }

    /// Whether the answer is the status this service's protocol demands for a wrong signature, and not plain 400.
    pub(crate) const fn is_of_signature(self) -> bool {
        matches!(
            self,
            Self::MissingSignature
                | Self::DoubledHeader
                | Self::OversizedHeader
                | Self::MalformedSignature
                | Self::MalformedRequest
                | Self::Stale
                | Self::Mismatch
        )
    }
}

/// What verifying a stored request again, under the secrets of today, came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reverified {
    /// This secret verifies it, counted in [`ChannelKeys::secrets`](super::ChannelKeys::secrets); `None` where the
    /// channel verifies nothing.
    Verified(Option<usize>),
    /// What verified it was not stored, so the recorded verdict stands.
    Recorded,
    /// No secret of today verifies it.
    Refused(RefusalReason),
}
