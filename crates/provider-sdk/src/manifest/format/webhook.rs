//! `[webhook]`: how what a provider sends is verified, answered and told apart.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Status, Text, VectorEntry, one_or_many, texts};

/// Webhooks: `[webhook]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookBlock {
    /// How a request is verified: one table, or several of which the first whose header is present decides. There is
    /// no falling back: once it decides, the others are not asked.
    #[serde(deserialize_with = "one_or_many")]
    pub verify: Vec<VerifyBlock>,
    /// What tells one delivery from another and stays the same when it is repeated.
    pub delivery_id: Option<LocatorEntry>,
    /// What kind of event it is.
    pub event_type: Option<LocatorEntry>,
    /// A JSON Pointer to what events are kept in order by. The whole channel is one order unless given.
    pub ordering_key: Option<Text>,
    /// What the event says, for an agent: the text of a message or a comment. The whole body unless given.
    pub content: Option<LocatorEntry>,
    /// Who says it. Nobody unless given.
    pub sender: Option<LocatorEntry>,
    /// The bodies this provider sends. `["json"]` unless given.
    #[serde(default)]
    pub bodies: Vec<BodyForm>,
    /// Whether a body may be empty.
    #[serde(default)]
    pub empty_body: bool,
    /// The largest body in bytes, where the provider sends more than 1 MiB.
    pub max_body: Option<u32>,
    /// The status of an accepted request. `200` unless given.
    pub accept_status: Option<Status>,
    /// The status of a refused request, where the provider's protocol demands one. `400` unless given.
    pub reject_status: Option<Status>,
    /// Within how many seconds the provider wants its answer.
    pub reply_within_seconds: Option<u16>,
    /// Requests that want another answer than an event does: `[[webhook.handshakes]]`.
    #[serde(default)]
    pub handshakes: Vec<HandshakeEntry>,
    /// What a person must know to set it up.
    #[serde(default)]
    pub notes: String,
    /// Recorded requests and what must become of them: `[[webhook.vectors]]`.
    #[serde(default)]
    pub vectors: Vec<VectorEntry>,
}

/// The ways to verify.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SchemeName {
    /// An HMAC in a header.
    Hmac,
    /// Standard Webhooks: `webhook-id`, `webhook-timestamp`, `webhook-signature`.
    StandardWebhooks,
    /// The secret itself, in a header or in the body.
    Token,
    /// HTTP Basic credentials.
    Basic,
    /// An Ed25519 signature in a header.
    Ed25519,
    /// An ECDSA P-256 signature over SHA-256 in a header, ASN.1 DER.
    EcdsaP256,
    /// A JWT in a header.
    Jwt,
    /// The provider crate verifies.
    Code,
    /// The provider signs nothing; the channel's URL is all there is.
    None,
}

/// One way to verify: `[webhook.verify]`. Which keys belong to which scheme is said at each key.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VerifyBlock {
    /// The scheme.
    pub scheme: SchemeName,
    /// What the vendor calls the secret or key, for forms.
    pub secret_title: Option<String>,
    /// A pattern the secret has in the vendor's documentation; a hint.
    pub secret_hint: Option<Text>,
    /// Headers that hold the signature or token, any of which may. For `hmac`, `token`, `ed25519`, `ecdsa_p256`, `jwt`.
    #[serde(default, deserialize_with = "texts")]
    pub header: Vec<Text>,
    /// A JSON Pointer to the token in the body. For `token`, in place of `header`.
    pub pointer: Option<Text>,
    /// `sha1`, `sha256` or `sha512` for `hmac`; `HS256`, `RS256` or `EdDSA` for `jwt`.
    pub algorithm: Option<Text>,
    /// How the signature is written. For `hmac`, `ed25519` and `ecdsa_p256`; `hex` unless given.
    pub encoding: Option<SignatureEncoding>,
    /// What stands in front of the signature or token in its header, such as `sha256=`.
    pub prefix: Option<String>,
    /// The form of a header that holds several named values, such as `t=1700000000,v1=abcd`. For `hmac`.
    pub list: Option<ListEntry>,
    /// What is signed: a template of `{body}`, `{timestamp}`, `{url}`, `{method}`, `{header:NAME}`, `{form_field:NAME}`
    /// and `{form_sorted}` (every form parameter, sorted, names and values run together). `{body}` unless given. For
    /// `hmac`, `ed25519`, `ecdsa_p256`.
    pub signed: Option<Text>,
    /// Where the time of sending is, and how old it may be.
    pub timestamp: Option<TimestampEntry>,
    /// What the secret is made of. `utf8` unless given; `hex` for `ed25519`; `base64` for `ecdsa_p256`.
    pub key: Option<KeyEncoding>,
    /// What stands in front of the key and is no part of it, such as `whsec_`.
    pub key_prefix: Option<String>,
    /// Whether the URL may also be signed without its port, or with the usual one. For `hmac`.
    #[serde(default)]
    pub url_ports: bool,
    /// The parameter of the query that holds the lower-case hexadecimal SHA-256 of a body that is no form, where
    /// `{form_sorted}` covers the forms. For `hmac`.
    pub body_hash_query: Option<String>,
    /// Where the public keys are. For `jwt` with an asymmetric algorithm: an `https` URL.
    pub jwks_url: Option<Text>,
    /// The issuer the JWT must have.
    pub issuer: Option<String>,
    /// The audience the JWT must have; `{url}` is the channel's URL.
    pub audience: Option<String>,
    /// The claim that holds the lower-case hexadecimal SHA-256 of the body. Without one the JWT does not cover the body.
    pub body_hash_claim: Option<String>,
}

/// How a signature is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignatureEncoding {
    /// Hexadecimal, in lower or upper case throughout.
    #[default]
    Hex,
    /// Base64, the standard alphabet, padded.
    Base64,
    /// Either; the length tells which.
    HexOrBase64,
}

/// What a key is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyEncoding {
    /// The text's own bytes.
    #[default]
    Utf8,
    /// The bytes the text is the Base64 of.
    Base64,
    /// The bytes the text is the hexadecimal form of.
    Hex,
}

/// A header with several named values.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListEntry {
    /// What separates the entries. `,` unless given; white space around it does not count.
    pub separator: Option<String>,
    /// The name of the entries that hold signatures, `v1` in `v1=abcd`. Every one of them is tried.
    pub signature: String,
    /// The name of the entry that holds the time, `t` in `t=1700000000`.
    pub timestamp: Option<String>,
}

/// Where the time of sending is. With `list.timestamp`, neither `header` nor `pointer` is given.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimestampEntry {
    /// A header.
    pub header: Option<Text>,
    /// A JSON Pointer into the body.
    pub pointer: Option<Text>,
    /// What it counts: `seconds` (since 1970) or `milliseconds`, or `rfc3339`. `seconds` unless given.
    pub unit: Option<StampUnit>,
    /// How far it may lie from now, in seconds. `300` unless given.
    pub tolerance_seconds: Option<u32>,
}

/// How a time of sending is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StampUnit {
    /// Seconds since 1970.
    #[default]
    Seconds,
    /// Milliseconds since 1970.
    Milliseconds,
    /// RFC 3339.
    Rfc3339,
}

/// Where something is in a request. Several places are joined; of each kind of place every one must be there.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LocatorEntry {
    /// Headers.
    #[serde(default, deserialize_with = "texts")]
    pub header: Vec<Text>,
    /// JSON Pointers into the body.
    #[serde(default, deserialize_with = "texts")]
    pub pointer: Vec<Text>,
    /// Fields of a form body.
    #[serde(default, deserialize_with = "texts")]
    pub form_field: Vec<Text>,
    /// Whether the places are alternatives, in this order (`true`), or parts of one value (`false`).
    #[serde(default)]
    pub first_of: bool,
}

/// The bodies a provider sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BodyForm {
    /// JSON.
    Json,
    /// `application/x-www-form-urlencoded`.
    Form,
    /// Form data in parts.
    Multipart,
}

/// A request that wants another answer than an event does: `[[webhook.handshakes]]`.
#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum HandshakeEntry {
    /// A POST with a challenge in its JSON body, which is sent back.
    EchoJson {
        /// What tells it from an event.
        when: Vec<MatchEntry>,
        /// A JSON Pointer to the challenge.
        challenge: String,
        /// How it is sent back.
        reply: ReplyForm,
        /// The member it is sent back in, for `json`.
        member: Option<String>,
        /// Whether the request is verified like an event.
        signed: bool,
    },
    /// A request with a challenge in its query, which is sent back.
    EchoQuery {
        /// `GET` or `POST`.
        method: String,
        /// The parameter that holds the challenge.
        challenge: String,
        /// Parameters that must have these values.
        #[serde(default)]
        require: BTreeMap<String, String>,
        /// The parameter that must equal the channel's `verify_token`.
        verify_token: Option<String>,
        /// How it is sent back.
        reply: ReplyForm,
        /// The member it is sent back in, for `json`.
        member: Option<String>,
    },
    /// A GET with a challenge in its query; its HMAC-SHA256 under the channel's secret is sent back in JSON.
    SignQuery {
        /// The parameter that holds the challenge.
        challenge: String,
        /// The member for the HMAC.
        response: String,
        /// The member for the challenge, if it is sent back too.
        echo: Option<String>,
        /// How the HMAC is written: `hex` or `base64`.
        encoding: SignatureEncoding,
        /// What stands in front of it.
        #[serde(default)]
        prefix: String,
    },
    /// A POST with a challenge in its JSON body; its HMAC-SHA256 under the channel's secret is sent back in JSON.
    SignJson {
        /// What tells it from an event.
        when: Vec<MatchEntry>,
        /// A JSON Pointer to the challenge.
        challenge: String,
        /// The member for the HMAC.
        response: String,
        /// The member for the challenge, if it is sent back too.
        echo: Option<String>,
    },
    /// A POST with the secret of this subscription in a header, which is sent back and kept.
    SecretInHeader {
        /// The header.
        header: String,
    },
    /// A POST with the secret of this subscription in its JSON body, which is kept for a person to copy.
    SecretInBody {
        /// A JSON Pointer to the secret.
        pointer: String,
    },
    /// A verified request that is answered and is no event.
    Ping {
        /// What tells it from an event.
        when: Vec<MatchEntry>,
        /// The status of the answer.
        status: Status,
        /// The JSON text of the answer, if any.
        json: Option<String>,
    },
    /// A request that only wants to see a 200: `HEAD`, or a `GET` without parameters.
    Probe {
        /// `HEAD` or `GET`.
        method: String,
    },
    /// An unsigned form POST that is sent once and is no event.
    UnsignedForm {
        /// The one field of the form.
        form_field: String,
    },
    /// A handshake the provider crate answers.
    Code,
}

/// One thing that is true of a handshake's request.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MatchEntry {
    /// A header that has the value.
    pub header: Option<String>,
    /// A JSON Pointer to what has the value.
    pub pointer: Option<String>,
    /// The value. Absent: it must be there, whatever it is.
    pub equals: Option<toml::Value>,
    /// `true`: it must not be there.
    #[serde(default)]
    pub absent: bool,
}

/// How a challenge is sent back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplyForm {
    /// As plain text.
    Text,
    /// In a JSON object.
    Json,
}
