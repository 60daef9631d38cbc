//! A recorded request, changed.

use nora_provider_sdk::webhook::{
    ChannelKeys, HandshakeMethod, InboundHeaders, InboundRequest, KeyEncoding, Received, SignatureAlgorithm, Vector,
    VerificationMethod,
};
use nora_provider_sdk::{Provider, Secret, Timestamp};

/// A request that can be changed in every part.
#[derive(Clone)]
pub(super) struct Forgery {
    pub(super) method: HandshakeMethod,
    pub(super) url: String,
    pub(super) query: String,
    pub(super) headers: Vec<(String, Vec<u8>)>,
    pub(super) body: Vec<u8>,
    /// The secret its channel has.
    pub(super) secret: Option<String>,
    pub(super) now: Timestamp,
}

impl Forgery {
    pub(super) fn of(vector: &Vector) -> Self {
        Self {
            method: vector.method,
            url: vector.url.clone(),
            query: vector.query.clone(),
            headers: vector.headers.iter().map(|(name, value)| (name.clone(), value.clone().into_bytes())).collect(),
            body: vector.body.clone(),
            secret: vector.secret.clone(),
            now: vector.now,
        }
    }

    /// Gives a header another value.
    pub(super) fn set(&mut self, name: &str, value: &[u8]) {
        self.headers.iter_mut().filter(|(known, _)| known == name).for_each(|(_, old)| *old = value.to_vec());
    }

    pub(super) fn send_to(&self, provider: &dyn Provider) -> Received {
        let headers: InboundHeaders<'_> =
            self.headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect();
        let request = InboundRequest {
            method: self.method,
            url: &self.url,
            query: &self.query,
            headers: &headers,
            body: &self.body,
        };
        let secret = self.secret.clone().map(Secret::new);
        let secrets: Vec<&Secret> = secret.iter().collect();
        provider.receive(&request, &ChannelKeys { secrets: &secrets, ..ChannelKeys::default() }, self.now)
    }
}

/// A secret that can be one of this way to verify, and is nobody's.
pub(super) fn other_secret(method: &VerificationMethod) -> String {
    const BASE64: &str = "b3RoZXItb3RoZXItb3RoZXItb3RoZXItb3RoZXItMTI=";
    // RFC 6979, A.2.5: a key that is published, in a SubjectPublicKeyInfo.
    const P256: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEYP7UuiVanTHJYet0xjVtaMBJuJI7YfpsmgY2RqNHnOZ5A/4nECAWIGK8Gmsi8ipSMbLRv3RoRbTq3ZdGOA/KqQ==";
    // RFC 8032, 7.1, test 1.
    const ED25519: &str = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    match method {
        VerificationMethod::StandardWebhooks { .. } => format!("whsec_{BASE64}"),
        VerificationMethod::Signature { algorithm: SignatureAlgorithm::Ed25519, .. } => ED25519.to_owned(),
        VerificationMethod::Signature { algorithm: SignatureAlgorithm::EcdsaP256, .. } => P256.to_owned(),
        VerificationMethod::Hmac { key, .. } => match key.encoding {
            KeyEncoding::Utf8 => "another-secret-than-the-vectors".to_owned(),
            KeyEncoding::Base64 => format!("{}{BASE64}", key.prefix),
            KeyEncoding::Hex => format!("{}{ED25519}", key.prefix),
        },
        _ => "another:secret-than-the-vectors".to_owned(),
    }
}
