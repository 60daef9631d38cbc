//! What clients see of a webhook scheme.

use serde_json::{Map, Value, json};

use super::{
    Handshake, HandshakeMethod, HashAlgorithm, JwtAlgorithm, Place, SignatureAlgorithm, SignedPart, TimestampPlace,
    TokenPlace, VerificationMethod, WebhookScheme,
};

impl WebhookScheme {
    /// What a client sees: how requests are verified, answered and told apart.
    pub fn description(&self) -> Value {
        let place = |place: &Place| match place {
            Place::Header(name) => json!({ "header": name }),
            Place::Pointer(pointer) => json!({ "pointer": pointer }),
            Place::FormField(name) => json!({ "form_field": name }),
        };
        let places = |places: &[Place]| Value::Array(places.iter().map(place).collect());
        json!({
            "verification": self.verify.iter().map(|verify| describe(&verify.method)).collect::<Vec<_>>(),
            "secret_field": self.secret_field(),
            "secret_title": self.verify.iter().find_map(|verify| verify.secret_title.clone()),
            "delivery_id": self.delivery_id.as_ref().map(|id| json!({ "in": places(&id.locator.places), "signed": id.signed })),
            "event_type": self.event_type.as_ref().map(|kind| json!({ "in": places(&kind.places) })),
            "ordering_key": self.ordering_key,
            "handshakes": self.handshakes.iter().map(|handshake| json!({ "kind": handshake.kind() })).collect::<Vec<_>>(),
            "max_body": self.max_body,
            "accept_status": self.accept_status,
            "reject_status": self.reject_status,
            "reply_within_seconds": self.reply_within_seconds,
            "notes": self.notes,
        })
    }

    /// The JSON Schema (draft 2020-12) of a channel's `config`: the secret or key that verifies, and the token of its
    /// handshake. None of them is required by the schema, because a channel may be made without verification.
    pub fn channel_config_schema(&self) -> Value {
        let mut properties = Map::new();
        let mut add = |name: &str, title: String, secret: bool| {
            let mut property = json!({ "type": "string", "minLength": 1, "maxLength": 4096, "title": title });
            if let (Value::Object(members), true) = (&mut property, secret) {
                members.insert("writeOnly".to_owned(), Value::Bool(true));
            }
            properties.insert(name.to_owned(), property);
        };
        for verify in &self.verify {
            if let Some(field) = verify.method.secret_field() {
                let usual = if field == "public_key" { "Public key" } else { "Signing secret" };
                add(field, verify.secret_title.clone().unwrap_or_else(|| usual.to_owned()), field != "public_key");
            }
        }
        if self.needs_verify_token() {
            add("verify_token", "Verify token".to_owned(), true);
        }
        json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "properties": properties,
            "required": [],
            "additionalProperties": false,
        })
    }
}

fn describe(method: &VerificationMethod) -> Value {
    let stamp = |timestamp: &Option<super::Timestamp>| {
        timestamp.as_ref().map(|timestamp| {
            let place = match &timestamp.place {
                TimestampPlace::Header(name) => json!({ "header": name }),
                TimestampPlace::Pointer(pointer) => json!({ "pointer": pointer }),
                TimestampPlace::List => json!("signature header"),
            };
            json!({ "in": place, "tolerance_seconds": timestamp.tolerance_seconds, "signed": timestamp.signed })
        })
    };
    match method {
        VerificationMethod::Hmac { algorithm, signature, signed, timestamp, .. } => json!({
            "scheme": "hmac",
            "algorithm": algorithm.as_str(),
            "headers": signature.headers,
            "prefix": signature.prefix,
            "signed": written(signed),
            "timestamp": stamp(timestamp),
        }),
        VerificationMethod::Signature { algorithm, signature, signed, timestamp, .. } => json!({
            "scheme": algorithm.as_str(),
            "headers": signature.headers,
            "signed": written(signed),
            "timestamp": stamp(timestamp),
        }),
        VerificationMethod::StandardWebhooks { tolerance_seconds } => {
            json!({ "scheme": "standard_webhooks", "tolerance_seconds": tolerance_seconds })
        }
        VerificationMethod::Token { place: TokenPlace::Header(name), .. } => {
            json!({ "scheme": "token", "headers": [name] })
        }
        VerificationMethod::Token { place: TokenPlace::Pointer(pointer), .. } => {
            json!({ "scheme": "token", "pointer": pointer })
        }
        VerificationMethod::Basic => json!({ "scheme": "basic", "headers": ["authorization"] }),
        VerificationMethod::Jwt { algorithm, header, jwks_url, body_hash_claim, .. } => json!({
            "scheme": "jwt",
            "algorithm": algorithm.as_str(),
            "headers": [header],
            "jwks_url": jwks_url,
            "covers_body": body_hash_claim.is_some(),
        }),
        VerificationMethod::Code => json!({ "scheme": "code" }),
        VerificationMethod::None => json!({ "scheme": "none" }),
    }
}

/// What is signed, as the manifest writes it.
fn written(parts: &[SignedPart]) -> String {
    parts
        .iter()
        .map(|part| match part {
            SignedPart::Text(text) => text.clone(),
            SignedPart::Body => "{body}".to_owned(),
            SignedPart::Timestamp => "{timestamp}".to_owned(),
            SignedPart::Url => "{url}".to_owned(),
            SignedPart::Method => "{method}".to_owned(),
            SignedPart::Header(name) => format!("{{header:{name}}}"),
            SignedPart::FormField(name) => format!("{{form_field:{name}}}"),
            SignedPart::FormSorted => "{form_sorted}".to_owned(),
        })
        .collect()
}

impl HashAlgorithm {
    /// The name in manifests.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }
}

impl SignatureAlgorithm {
    /// The name in manifests.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ed25519 => "ed25519",
            Self::EcdsaP256 => "ecdsa_p256",
        }
    }
}

impl JwtAlgorithm {
    /// The name in manifests and JWTs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::Rs256 => "RS256",
            Self::EdDsa => "EdDSA",
        }
    }
}

impl Handshake {
    /// The name in manifests.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::EchoJson { .. } => "echo_json",
            Self::EchoQuery { .. } => "echo_query",
            Self::SignQuery { .. } => "sign_query",
            Self::SignJson { .. } => "sign_json",
            Self::SecretInHeader { .. } => "secret_in_header",
            Self::SecretInBody { .. } => "secret_in_body",
            Self::Ping { .. } => "ping",
            Self::Probe(_) => "probe",
            Self::UnsignedForm { .. } => "unsigned_form",
            Self::Code => "code",
        }
    }
}

impl HandshakeMethod {
    /// The method on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
        }
    }
}
