//! Retried requests that must not do their work twice.

use std::str::FromStr;

use crate::Timestamp;

/// The value of an `Idempotency-Key` header.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(String);

/// The header is empty, longer than 255 bytes, or not printable ASCII.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Idempotency-Key must be 1 to 255 printable ASCII characters")]
pub struct InvalidIdempotencyKey;

impl IdempotencyKey {
    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for IdempotencyKey {
    type Err = InvalidIdempotencyKey;

    fn from_str(text: &str) -> Result<Self, InvalidIdempotencyKey> {
        let printable = text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
        if (1..=255).contains(&text.len()) && printable {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidIdempotencyKey)
        }
    }
}

/// An answer kept for a repeated request. It holds no secret: answers that show one are never kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAnswer {
    /// The HTTP status, 2xx.
    pub status: u16,
    /// The `Location` header, if the answer had one.
    pub location: Option<String>,
    /// The JSON body.
    pub body: String,
}

/// What the transaction of the work writes so that a repeated request finds the answer.
///
/// A record is unique by (`principal`, `route`, `key`). Writing one that exists fails the whole transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idempotency {
    /// Who sent the request: the actor's kind and id.
    pub principal: String,
    /// The route with its path parameters filled in.
    pub route: String,
    /// The request's key.
    pub key: IdempotencyKey,
    /// A keyed digest of the body. The body itself is not kept.
    pub body_digest: [u8; 32],
    /// The answer to repeat.
    pub answer: StoredAnswer,
    /// After this time the record counts as absent.
    pub expires_at: Timestamp,
}

/// A request that carries an idempotency key, before its work is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotentRequest {
    /// Who sent the request: the actor's kind and id.
    pub principal: String,
    /// The route with its path parameters filled in.
    pub route: String,
    /// The request's key.
    pub key: IdempotencyKey,
    /// A keyed digest of the body.
    pub body_digest: [u8; 32],
}

/// How long an answer is kept for a repeated request.
const KEPT: std::time::Duration = std::time::Duration::from_hours(24);

impl IdempotentRequest {
    /// The record to write in the transaction of the work.
    pub fn answered(self, answer: StoredAnswer, now: Timestamp) -> Idempotency {
        let Self { principal, route, key, body_digest } = self;
        Idempotency { principal, route, key, body_digest, answer, expires_at: now.after(KEPT) }
    }
}

/// A request with the same principal, route and key was answered first. Nothing was written; its answer is to be
/// looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the idempotency key is taken")]
pub struct IdempotencyTaken;
