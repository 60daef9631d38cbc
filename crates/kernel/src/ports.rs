//! Ports without technology: time, identity, chance, digests.

use async_trait::async_trait;
use uuid::Uuid;

use crate::{BoxError, Timestamp, Unavailable};

/// Tells the time.
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> Timestamp;
}

/// Makes new ids.
pub trait IdSource: Send + Sync {
    /// A UUID nobody has had before: version 7, so that ids sort by the time they were made.
    fn next(&self) -> Uuid;
}

/// A source of randomness fit for keys.
pub trait Entropy: Send + Sync {
    /// Fills `buffer` with random bytes.
    ///
    /// # Errors
    ///
    /// The system's generator failed; `buffer` must not be used.
    fn fill(&self, buffer: &mut [u8]) -> Result<(), BoxError>;
}

/// Digests of things that may be compared but not read back.
pub trait Digest: Send + Sync {
    /// SHA-256 of `bytes`.
    fn sha256(&self, bytes: &[u8]) -> [u8; 32];

    /// HMAC-SHA256 of `bytes` under a key of this installation that serves `purpose` alone.
    ///
    /// Equal bytes have equal digests for one purpose; without the key nothing can be learned from them.
    fn keyed(&self, purpose: &'static str, bytes: &[u8]) -> [u8; 32];
}

/// Says whether a dependency can do its work now.
#[async_trait]
pub trait Readiness: Send + Sync {
    /// Asks the dependency itself.
    ///
    /// # Errors
    ///
    /// It cannot be reached, or is not in the state this binary needs (a schema that is not migrated).
    async fn ready(&self) -> Result<(), Unavailable>;
}
