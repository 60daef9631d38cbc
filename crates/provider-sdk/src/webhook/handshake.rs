//! Requests that are no events.

use serde_json::Value;

use super::{Place, SignatureEncoding};

/// A request that wants another answer than an event does.
#[derive(Debug, Clone)]
pub enum Handshake {
    /// A POST with a challenge in its JSON body, which is sent back.
    EchoJson {
        /// What tells it from an event.
        when: Vec<Match>,
        /// A JSON Pointer to the challenge.
        challenge: String,
        /// The JSON member it is sent back in; as plain text without one.
        member: Option<String>,
        /// Whether the request is verified like an event.
        signed: bool,
    },
    /// A request with a challenge in its query, which is sent back.
    EchoQuery {
        /// The request's method.
        method: HandshakeMethod,
        /// The parameter that holds the challenge.
        challenge: String,
        /// Parameters and the values they must have.
        require: Vec<(String, String)>,
        /// The parameter that must equal the channel's `verify_token`.
        verify_token: Option<String>,
        /// The JSON member it is sent back in; as plain text without one.
        member: Option<String>,
    },
    /// A GET with a challenge in its query, answered with its HMAC-SHA256 under the channel's secret.
    SignQuery {
        /// The parameter that holds the challenge.
        challenge: String,
        /// The JSON member for the HMAC.
        response: String,
        /// The JSON member for the challenge, if it is sent back too.
        echo: Option<String>,
        /// How the HMAC is written.
        encoding: SignatureEncoding,
        /// What stands in front of it.
        prefix: String,
    },
    /// A POST with a challenge in its JSON body, answered with its HMAC-SHA256 (hexadecimal) under the channel's secret.
    SignJson {
        /// What tells it from an event.
        when: Vec<Match>,
        /// A JSON Pointer to the challenge.
        challenge: String,
        /// The JSON member for the HMAC.
        response: String,
        /// The JSON member for the challenge, if it is sent back too.
        echo: Option<String>,
    },
    /// A POST with the secret of this subscription in a header, which is sent back and kept.
    SecretInHeader {
        /// The header, in lower case.
        header: String,
    },
    /// A POST with the secret of this subscription in its JSON body, which is kept.
    SecretInBody {
        /// A JSON Pointer to the secret.
        pointer: String,
    },
    /// A verified request that is answered and is no event.
    Ping {
        /// What tells it from an event.
        when: Vec<Match>,
        /// The status of the answer.
        status: u16,
        /// The JSON of the answer, if it has one.
        json: Option<Value>,
    },
    /// A request that only wants to see a 200.
    Probe(HandshakeMethod),
    /// An unsigned form POST that is sent once and is no event.
    UnsignedForm {
        /// The one field of the form.
        form_field: String,
    },
    /// A handshake the provider crate answers.
    Code,
}

/// The methods of handshakes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HandshakeMethod {
    /// GET.
    Get,
    /// HEAD.
    Head,
    /// POST.
    Post,
}

/// Something that is true of a handshake's request.
#[derive(Debug, Clone, PartialEq)]
pub struct Match {
    /// Where.
    pub place: Place,
    /// What is there.
    pub wanted: Wanted,
}

/// What is at a place.
#[derive(Debug, Clone, PartialEq)]
pub enum Wanted {
    /// This value.
    Equals(Value),
    /// Anything.
    Present,
    /// Nothing.
    Absent,
}
