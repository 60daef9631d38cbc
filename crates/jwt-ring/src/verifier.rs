//! The verifier.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use jsonwebtoken::{Algorithm, DecodingKey, decode, decode_header};
use nora_access::ports::{TokenClaims, TokenError, TokenVerifier};
use nora_kernel::{Clock, Secret};

use crate::claims::{Claims, Expected};
use crate::jwks::VerificationKey;
use crate::key_cache::{JwksSource, KeyCache};
use crate::provider;

const LONGEST_TOKEN: usize = 8 * 1024;
const SHORTEST_SECRET: usize = 32;

/// The settings do not make a verifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    /// A shorter secret could be found by trying.
    #[error("the JWT secret is shorter than 32 bytes")]
    ShortSecret,
    /// Without an issuer anybody's tokens would do.
    #[error("the JWT issuer is empty")]
    NoIssuer,
    /// Without an audience tokens for other services would do.
    #[error("the JWT audience is empty")]
    NoAudience,
}

/// Verifies JWTs with a shared secret or with the issuer's key set.
pub struct RingTokenVerifier {
    keys: Keys,
    expected: Expected,
    clock: Arc<dyn Clock>,
}

enum Keys {
    Secret(Box<VerificationKey>),
    Set(KeyCache),
}

impl RingTokenVerifier {
    /// Accepts HS256 tokens signed with `secret`, whose bytes are its text's.
    pub fn with_secret(secret: &Secret, expected: Expected, clock: Arc<dyn Clock>) -> Result<Self, SetupError> {
        let secret = secret.expose().as_bytes();
        if secret.len() < SHORTEST_SECRET {
            return Err(SetupError::ShortSecret);
        }
        let key = VerificationKey::new(None, Algorithm::HS256, DecodingKey::from_secret(secret));
        Self::new(Keys::Secret(Box::new(key)), expected, clock)
    }

    /// Accepts RS256, ES256 and `EdDSA` tokens signed with a key of the set that `source` fetches.
    ///
    /// Nothing is fetched before the first token arrives.
    pub fn with_key_set(
        source: Arc<dyn JwksSource>,
        expected: Expected,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, SetupError> {
        let cache = KeyCache::new(source, Arc::clone(&clock));
        Self::new(Keys::Set(cache), expected, clock)
    }

    fn new(keys: Keys, expected: Expected, clock: Arc<dyn Clock>) -> Result<Self, SetupError> {
        if expected.issuer.is_empty() {
            return Err(SetupError::NoIssuer);
        }
        if expected.audience.is_empty() {
            return Err(SetupError::NoAudience);
        }
        provider::install();
        Ok(Self { keys, expected, clock })
    }

    fn check(&self, token: &str, key: &VerificationKey) -> Result<TokenClaims, TokenError> {
        let claims = decode::<Claims>(token, &key.key, &key.rules).map_err(|_| TokenError::Invalid)?.claims;
        claims.accept(&self.expected, self.clock.now())
    }
}

#[async_trait]
impl TokenVerifier for RingTokenVerifier {
    async fn verify(&self, token: &str) -> Result<TokenClaims, TokenError> {
        if token.len() > LONGEST_TOKEN {
            return Err(TokenError::Invalid);
        }
        let header = decode_header(token).map_err(|_| TokenError::Invalid)?;
        if header.crit.is_some() {
            return Err(TokenError::Invalid);
        }
        match &self.keys {
            Keys::Secret(key) => self.check(token, key),
            Keys::Set(cache) => self.check(token, &*cache.key_for(header).await?),
        }
    }
}

impl fmt::Debug for RingTokenVerifier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys = match self.keys {
            Keys::Secret(_) => "secret",
            Keys::Set(_) => "key set",
        };
        formatter
            .debug_struct("RingTokenVerifier")
            .field("keys", &keys)
            .field("expected", &self.expected)
            .finish_non_exhaustive()
    }
}
