//! The vault: what keeps credentials unreadable at rest.

use async_trait::async_trait;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::{AgentId, BoxError, Workspace};

/// What credentials are opened for. Every opening leaves an audit line that names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// A push to the agent's runtime.
    Sync,
    /// A connection test.
    Test,
    /// A deployment document.
    Deployment,
    /// The verification of webhooks.
    Verify,
}

impl Purpose {
    /// The name on the wire and in the databases.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sync => "sync",
            Self::Test => "test",
            Self::Deployment => "deployment",
            Self::Verify => "verify",
        }
    }

    /// The purpose with this name.
    pub fn from_wire(text: &str) -> Option<Self> {
        [Self::Sync, Self::Test, Self::Deployment, Self::Verify].into_iter().find(|purpose| purpose.as_str() == text)
    }
}

/// Where a sealed value belongs. All of it is authenticated: a value moved to another row, column, agent or
/// version does not open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealContext {
    /// The table it is kept in.
    pub table: &'static str,
    /// The column it is kept in.
    pub column: &'static str,
    /// The tenant.
    pub workspace: Workspace,
    /// The agent whose key seals it.
    pub agent: AgentId,
    /// The row's id.
    pub row: Uuid,
    /// Counts the values this row has had. An older value does not open as a newer one.
    pub version: u64,
}

/// Ciphertext with everything needed to open it but the key.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed(pub Vec<u8>);

impl std::fmt::Debug for Sealed {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Sealed({} bytes)", self.0.len())
    }
}

/// An agent's data key, itself encrypted under the installation's keyring.
///
/// Destroying it destroys everything that was sealed for the agent.
#[derive(Clone, PartialEq, Eq)]
pub struct WrappedKey(pub Vec<u8>);

impl std::fmt::Debug for WrappedKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "WrappedKey({} bytes)", self.0.len())
    }
}

/// Nothing was sealed.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The wrapped key does not belong to this agent or names a key that is not in the keyring.
    #[error("the agent's data key does not open")]
    Key,
    /// The key service or the system's generator failed.
    #[error("the vault is unavailable")]
    Unavailable(#[source] BoxError),
}

/// Nothing was opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The value was not sealed for this context under this key, or was changed since. There is no plaintext and
    /// no hint which of the two it was.
    #[error("the sealed value does not open in its context")]
    Unreadable,
    /// The key service failed; the value may still be good.
    #[error("the vault is unavailable")]
    Unavailable(#[source] BoxError),
}

/// Seals and opens credentials.
///
/// A value opens only under the agent's key and in the very context it was sealed for. Nothing that fails to open
/// is ever returned as a value.
#[async_trait]
pub trait Vault: Send + Sync {
    /// Makes a new random data key for `agent` and returns it wrapped.
    async fn new_agent_key(&self, workspace: &Workspace, agent: AgentId) -> Result<WrappedKey, SealError>;

    /// Seals `plaintext` under the agent's key. Sealing the same value twice gives two different results.
    async fn seal(&self, key: &WrappedKey, context: &SealContext, plaintext: &[u8]) -> Result<Sealed, SealError>;

    /// Opens a sealed value.
    async fn open(
        &self,
        key: &WrappedKey,
        context: &SealContext,
        sealed: &Sealed,
    ) -> Result<Zeroizing<Vec<u8>>, OpenError>;
}
