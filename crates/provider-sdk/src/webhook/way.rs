//! The ways to verify a request.

use super::{KeyEncoding, SignatureEncoding, StampUnit};

/// One way to verify a request.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Verification {
    /// How.
    pub method: VerificationMethod,
    /// What the vendor calls the secret or key.
    pub secret_title: Option<String>,
    /// A pattern the secret has; a hint.
    pub secret_hint: Option<String>,
}

/// How a request is verified.
#[derive(Debug, Clone)]
pub enum VerificationMethod {
    /// An HMAC.
    Hmac {
        /// The hash function.
        algorithm: HashAlgorithm,
        /// Where the signature is.
        signature: SignaturePlace,
        /// What is signed.
        signed: Vec<SignedPart>,
        /// When the request was sent, if the provider says so.
        timestamp: Option<Timestamp>,
        /// What the secret is made of.
        key: Key,
        /// Whether the URL may also be signed without its port, or with the usual one.
        url_ports: bool,
        /// The parameter of the query that holds the SHA-256 of a body that is no form, in hexadecimal. Such a body is
        /// covered by it alone.
        body_hash_query: Option<String>,
    },
    /// Standard Webhooks: `{webhook-id}.{webhook-timestamp}.{body}`, HMAC-SHA256, `v1,` and Base64.
    StandardWebhooks {
        /// How far the time of sending may lie from now, in seconds.
        tolerance_seconds: u32,
    },
    /// The secret itself.
    Token {
        /// Where it is.
        place: TokenPlace,
        /// What stands in front of it.
        prefix: String,
    },
    /// HTTP Basic credentials; the secret is `user:password`.
    Basic,
    /// An asymmetric signature.
    Signature {
        /// Which.
        algorithm: SignatureAlgorithm,
        /// Where it is.
        signature: SignaturePlace,
        /// What is signed.
        signed: Vec<SignedPart>,
        /// When the request was sent, if the provider says so.
        timestamp: Option<Timestamp>,
        /// What the public key is made of.
        key: Key,
    },
    /// A JWT.
    Jwt {
        /// The one algorithm it may have.
        algorithm: JwtAlgorithm,
        /// The header it is in.
        header: String,
        /// What stands in front of it.
        prefix: String,
        /// Where public keys are; `None` for a shared secret.
        jwks_url: Option<String>,
        /// The issuer it must have.
        issuer: Option<String>,
        /// The audience it must have.
        audience: Option<Audience>,
        /// The claim with the SHA-256 of the body; without one the body is not covered.
        body_hash_claim: Option<String>,
    },
    /// The provider crate verifies.
    Code,
    /// Nothing is signed.
    None,
}

/// Hash functions under an HMAC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HashAlgorithm {
    /// SHA-1.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

/// Asymmetric signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureAlgorithm {
    /// Ed25519; the key is 32 bytes.
    Ed25519,
    /// ECDSA P-256 over SHA-256, ASN.1 DER; the key is a `SubjectPublicKeyInfo`.
    EcdsaP256,
}

/// Algorithms of JWTs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JwtAlgorithm {
    /// HMAC-SHA256 under the channel's secret.
    Hs256,
    /// RSA with SHA-256.
    Rs256,
    /// Ed25519.
    EdDsa,
}

/// Whom a JWT must be meant for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Audience {
    /// The channel's URL.
    ChannelUrl,
    /// This text.
    Text(String),
}

/// Where a signature is, and how it is written.
#[derive(Debug, Clone)]
pub struct SignaturePlace {
    /// Headers, in lower case. A match in any of them is enough.
    pub headers: Vec<String>,
    /// What stands in front of it.
    pub prefix: String,
    /// How it is written.
    pub encoding: SignatureEncoding,
    /// The form of a header with several named values.
    pub list: Option<SignatureList>,
}

/// A header with several named values, such as `t=1700000000,v1=abcd`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureList {
    /// What separates the entries.
    pub separator: String,
    /// The name of the entries that hold signatures; every one of them is tried.
    pub signature: String,
    /// The name of the entry that holds the time.
    pub timestamp: Option<String>,
}

/// A piece of what is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignedPart {
    /// Text as it is.
    Text(String),
    /// The raw body.
    Body,
    /// The time of sending, as it was written.
    Timestamp,
    /// The channel's URL, as it was given to the provider.
    Url,
    /// The request's method.
    Method,
    /// A header's value; the name in lower case.
    Header(String),
    /// The decoded value of one field of a form body.
    FormField(String),
    /// Every parameter of a form body, sorted by name, names and values run together.
    FormSorted,
}

/// When a request was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timestamp {
    /// Where the time is.
    pub place: TimestampPlace,
    /// How it is written.
    pub unit: StampUnit,
    /// How far it may lie from now, in seconds.
    pub tolerance_seconds: u32,
    /// Whether the signature covers it. A time it does not cover refuses nothing.
    pub signed: bool,
}

/// Where the time of sending is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TimestampPlace {
    /// A header; the name in lower case.
    Header(String),
    /// A JSON Pointer into the body.
    Pointer(String),
    /// An entry of the signature's own header.
    List,
}

/// What a key is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// How the text becomes bytes.
    pub encoding: KeyEncoding,
    /// What stands in front of it and is no part of it.
    pub prefix: String,
}

/// Where a token is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenPlace {
    /// A header; the name in lower case.
    Header(String),
    /// A JSON Pointer into the body. It is taken out before the body is stored.
    Pointer(String),
}

impl VerificationMethod {
    /// As [`WebhookScheme::secret_field`](super::WebhookScheme::secret_field), for this way alone.
    pub fn secret_field(&self) -> Option<&'static str> {
        match self {
            Self::Signature { .. } => Some("public_key"),
            Self::Jwt { jwks_url: Some(_), .. } | Self::Code | Self::None => None,
            Self::Hmac { .. } | Self::StandardWebhooks { .. } | Self::Token { .. } | Self::Basic | Self::Jwt { .. } => {
                Some("signing_secret")
            }
        }
    }

    /// The headers whose presence makes this way decide, in lower case; empty where no header tells.
    pub fn headers(&self) -> Vec<&str> {
        match self {
            Self::Hmac { signature, .. } | Self::Signature { signature, .. } => {
                signature.headers.iter().map(String::as_str).collect()
            }
            Self::StandardWebhooks { .. } => vec!["webhook-signature", "svix-signature"],
            Self::Token { place: TokenPlace::Header(header), .. } | Self::Jwt { header, .. } => vec![header.as_str()],
            Self::Basic => vec!["authorization"],
            Self::Token { place: TokenPlace::Pointer(_), .. } | Self::Code | Self::None => Vec::new(),
        }
    }
}
