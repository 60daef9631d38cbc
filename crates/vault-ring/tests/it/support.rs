//! A vault with a keyring of its own, and the things it seals.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use nora_kernel::{
    AgentId, BoxError, Entropy, OpenError, SealContext, Sealed, Timestamp, Vault as _, Workspace, WrappedKey,
};
use nora_vault_ring::{Keyring, RingVault, SystemEntropy};
use tempfile::TempDir;
use uuid::Uuid;

pub(crate) const PLAINTEXT: &[u8] = b"{\"token\":\"CANARY-4711\"}";

/// A directory with a keyring in it.
pub(crate) struct Place(TempDir);

impl Place {
    pub(crate) fn empty() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn with_keyring() -> Self {
        let place = Self::empty();
        Keyring::generate(&place.keyring(), &SystemEntropy::new(), now()).unwrap();
        place
    }

    pub(crate) fn keyring(&self) -> PathBuf {
        self.0.path().join("vault.keyring")
    }

    /// What lies in the directory besides the keyring.
    pub(crate) fn leftovers(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.0.path()).unwrap().map(|entry| entry.unwrap().path());
        entries.filter(|path| *path != self.keyring()).collect()
    }

    /// A vault that has just read the file.
    pub(crate) fn vault(&self) -> RingVault {
        let keyring = Keyring::load(&self.keyring()).unwrap();
        RingVault::new(Arc::new(keyring), Arc::new(SystemEntropy::new()))
    }
}

pub(crate) fn now() -> Timestamp {
    "2026-11-23T09:30:00Z".parse().unwrap()
}

pub(crate) fn later(seconds: u64) -> Timestamp {
    now().after(std::time::Duration::from_secs(seconds))
}

pub(crate) fn workspace() -> Workspace {
    "acme".parse().unwrap()
}

pub(crate) fn agent() -> AgentId {
    "a1b2c3d4-e5f6-7890-abcd-ef1234567890".parse().unwrap()
}

pub(crate) fn context() -> SealContext {
    SealContext {
        table: "integrations",
        column: "secrets",
        workspace: workspace(),
        agent: agent(),
        row: Uuid::from_u128(0xD5E6_F7A8_B9C0_1234_DEFA_1234_5678_9012),
        version: 7,
    }
}

/// A vault, an agent's key and a value sealed with it.
pub(crate) struct Sealing {
    pub(crate) vault: RingVault,
    pub(crate) key: WrappedKey,
    pub(crate) sealed: Sealed,
}

impl Sealing {
    pub(crate) async fn new() -> Self {
        let vault = Place::with_keyring().vault();
        let key = vault.new_agent_key(&workspace(), agent()).await.unwrap();
        let sealed = vault.seal(&key, &context(), PLAINTEXT).await.unwrap();
        Self { vault, key, sealed }
    }

    pub(crate) async fn open(&self) -> Result<Vec<u8>, OpenError> {
        open(&self.vault, &self.key, &context(), &self.sealed.0).await
    }

    /// Whether these bytes, in the place of what was sealed, are refused without a hint.
    pub(crate) async fn refuses(&self, sealed: &[u8]) -> bool {
        matches!(open(&self.vault, &self.key, &context(), sealed).await, Err(OpenError::Unreadable))
    }

    /// Whether this key, in the place of the agent's, is refused without a hint.
    pub(crate) async fn refuses_key(&self, key: &[u8]) -> bool {
        let key = WrappedKey(key.to_vec());
        matches!(open(&self.vault, &key, &context(), &self.sealed.0).await, Err(OpenError::Unreadable))
    }
}

pub(crate) async fn open(
    vault: &RingVault,
    key: &WrappedKey,
    context: &SealContext,
    sealed: &[u8],
) -> Result<Vec<u8>, OpenError> {
    vault.open(key, context, &Sealed(sealed.to_vec())).await.map(|plaintext| plaintext.to_vec())
}

/// Gives out what it was given, then fails.
pub(crate) struct Script(Mutex<VecDeque<Vec<u8>>>);

impl Script {
    pub(crate) fn new(draws: impl IntoIterator<Item = Vec<u8>>) -> Self {
        Self(Mutex::new(draws.into_iter().collect()))
    }
}

impl Entropy for Script {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), BoxError> {
        let draw = self.0.lock().unwrap().pop_front().ok_or("the generator is exhausted")?;
        buffer.copy_from_slice(&draw);
        Ok(())
    }
}
