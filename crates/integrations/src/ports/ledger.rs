//! What this service has put into a runtime that others write to as well.

use async_trait::async_trait;
use nora_kernel::EnvName;

/// A variable in a runtime that this service put there, or may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnedVariable {
    /// Its name.
    pub name: EnvName,
    /// A keyed digest of its value and of how it is held, once the runtime has confirmed it; `None` from the moment
    /// before it is written until then.
    pub digest: Option<[u8; 32]>,
    /// The runtime's own time of its last change, in milliseconds since 1970, where the runtime tells it.
    pub changed_at_ms: Option<i64>,
}

impl OwnedVariable {
    /// A variable that is about to be written.
    pub const fn intended(name: EnvName) -> Self {
        Self { name, digest: None, changed_at_ms: None }
    }
}

/// What is owned was not written down: the lease was lost, or the store could not answer. Nothing more may be changed
/// in the runtime.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("what is owned in the runtime was not recorded")]
pub struct NotRecorded;

/// Where a push writes down what it owns in a runtime, while it is under way.
///
/// An adapter records a name before it writes the value, so that a crash cannot leave a credential nobody knows of.
#[async_trait]
pub trait Ledger: Send + Sync {
    /// Makes `owned` what this service owns in the runtime, instead of what was recorded before.
    async fn record(&self, owned: &[OwnedVariable]) -> Result<(), NotRecorded>;
}
