//! Channel types that belong to no provider.

use serde_json::{Map, Value, json};

use super::{
    BodyForm, DEFAULT_MAX_BODY, DeliveryId, HashAlgorithm, Key, KeyEncoding, Locator, Place, SignatureEncoding,
    SignaturePlace, SignedPart, TokenPlace, Verification, VerificationMethod, WebhookScheme,
};
use crate::probe::is_header_name;

/// The fewest bytes of a secret that people choose themselves.
const MIN_SECRET: u8 = 24;
const DEFAULT_SIGNATURE_HEADER: &str = "X-Webhook-Signature";
const DEFAULT_TOKEN_HEADER: &str = "X-Webhook-Token";

/// A channel type that belongs to no provider. Every other type is a catalog provider's scheme, under its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BuiltinType {
    /// `standard-webhooks`: the specification of that name.
    StandardWebhooks,
    /// `webhook`: an HMAC over the body or a shared header value, as the channel's configuration says.
    Webhook,
}

/// A member of a channel's configuration that is no good.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{member}` {reason}")]
pub struct ConfigProblem {
    /// The member.
    pub member: &'static str,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl BuiltinType {
    /// Every one of them, in the order of their ids.
    pub const ALL: [Self; 2] = [Self::StandardWebhooks, Self::Webhook];

    /// The type with this id.
    pub fn by_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.id() == id)
    }

    /// The id of the type.
    pub const fn id(self) -> &'static str {
        match self {
            Self::StandardWebhooks => "standard-webhooks",
            Self::Webhook => "webhook",
        }
    }

    /// The name a person knows it by.
    pub const fn name(self) -> &'static str {
        match self {
            Self::StandardWebhooks => "Standard Webhooks",
            Self::Webhook => "Webhook",
        }
    }

    /// The JSON Schema (draft 2020-12) of a channel's `config`. As in
    /// [`WebhookScheme::channel_config_schema`], the secret is not required by it.
    pub fn config_schema(self) -> Value {
        let secret = json!({
            "type": "string", "minLength": 1, "maxLength": 4096, "title": "Signing secret", "writeOnly": true,
            "description": "At least 24 random bytes.",
        });
        let header =
            |title: &str| json!({ "type": "string", "pattern": "^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$", "title": title });
        let properties = match self {
            Self::StandardWebhooks => json!({ "signing_secret": secret }),
            Self::Webhook => json!({
                "signing_secret": secret,
                "scheme": { "enum": ["hmac", "token"], "default": "hmac", "title": "What the sender sends: an HMAC of the body, or the secret itself" },
                "header": header(
                    "Header with the signature, X-Webhook-Signature unless given, or with the secret, X-Webhook-Token unless given",
                ),
                "algorithm": { "enum": ["sha1", "sha256", "sha512"], "default": "sha256", "title": "Hash function of the HMAC" },
                "encoding": { "enum": ["hex", "base64"], "default": "hex", "title": "How the HMAC is written" },
                "prefix": { "type": "string", "maxLength": 32, "default": "", "title": "What stands in front of it, such as sha256=" },
                "delivery_id_header": header("Header with the id of the delivery"),
                "event_type_header": header("Header with the type of the event"),
            }),
        };
        json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "properties": properties,
            "required": [],
            "additionalProperties": false,
        })
    }

    /// The scheme of a channel with this configuration. What is not given has its default.
    pub fn scheme(self, config: &Map<String, Value>) -> Result<WebhookScheme, ConfigProblem> {
        Ok(match self {
            Self::StandardWebhooks => WebhookScheme {
                delivery_id: Some(id(&["webhook-id", "svix-id"], true)),
                event_type: Some(Locator { places: vec![Place::Pointer("/type".to_owned())], first_of: false }),
                ..plain(VerificationMethod::StandardWebhooks { tolerance_seconds: 300 })
            },
            Self::Webhook => {
                let header = |member, usual: &str| header(config, member, Some(usual)).map(Option::unwrap_or_default);
                let prefix = text(config, "prefix")?.unwrap_or_default().to_owned();
                let method = match text(config, "scheme")?.unwrap_or("hmac") {
                    "hmac" => hmac(config, header("header", DEFAULT_SIGNATURE_HEADER)?, prefix)?,
                    "token" => {
                        let place = TokenPlace::Header(header("header", DEFAULT_TOKEN_HEADER)?);
                        VerificationMethod::Token { place, prefix }
                    }
                    _ => return Err(ConfigProblem { member: "scheme", reason: "is hmac or token" }),
                };
                WebhookScheme {
                    delivery_id: self::header(config, "delivery_id_header", None)?.map(|name| id(&[&name], false)),
                    event_type: self::header(config, "event_type_header", None)?
                        .map(|name| Locator { places: vec![Place::Header(name)], first_of: false }),
                    bodies: vec![BodyForm::Json, BodyForm::Form],
                    ..plain(method)
                }
            }
        })
    }
}

fn plain(method: VerificationMethod) -> WebhookScheme {
    WebhookScheme {
        verify: vec![Verification { method, secret_title: None, secret_hint: None }],
        delivery_id: None,
        event_type: None,
        ordering_key: None,
        content: None,
        sender: None,
        bodies: vec![BodyForm::Json],
        undeclared_forms: false,
        empty_body: false,
        max_body: DEFAULT_MAX_BODY,
        min_secret_bytes: MIN_SECRET,
        accept_status: 200,
        reject_status: 400,
        reply_within_seconds: None,
        handshakes: Vec::new(),
        vectors: Vec::new(),
        notes: String::new(),
    }
}

fn id(headers: &[&str], signed: bool) -> DeliveryId {
    let places = headers.iter().map(|name| Place::Header((*name).to_owned())).collect();
    DeliveryId { locator: Locator { places, first_of: true }, signed }
}

fn hmac(config: &Map<String, Value>, header: String, prefix: String) -> Result<VerificationMethod, ConfigProblem> {
    let algorithm = match text(config, "algorithm")?.unwrap_or("sha256") {
        "sha1" => HashAlgorithm::Sha1,
        "sha256" => HashAlgorithm::Sha256,
        "sha512" => HashAlgorithm::Sha512,
        _ => return Err(ConfigProblem { member: "algorithm", reason: "is sha1, sha256 or sha512" }),
    };
    let encoding = match text(config, "encoding")?.unwrap_or("hex") {
        "hex" => SignatureEncoding::Hex,
        "base64" => SignatureEncoding::Base64,
        _ => return Err(ConfigProblem { member: "encoding", reason: "is hex or base64" }),
    };
    Ok(VerificationMethod::Hmac {
        algorithm,
        signature: SignaturePlace { headers: vec![header], prefix, encoding, list: None },
        signed: vec![SignedPart::Body],
        timestamp: None,
        key: Key { encoding: KeyEncoding::Utf8, prefix: String::new() },
        url_ports: false,
        body_hash_query: None,
    })
}

fn text<'c>(config: &'c Map<String, Value>, member: &'static str) -> Result<Option<&'c str>, ConfigProblem> {
    match config.get(member) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(ConfigProblem { member, reason: "is a text" }),
    }
}

/// The name of a header, in lower case.
fn header(
    config: &Map<String, Value>,
    member: &'static str,
    usual: Option<&str>,
) -> Result<Option<String>, ConfigProblem> {
    let Some(name) = text(config, member)?.or(usual) else { return Ok(None) };
    if is_header_name(name) {
        Ok(Some(name.to_ascii_lowercase()))
    } else {
        Err(ConfigProblem { member, reason: "is the name of a header" })
    }
}
