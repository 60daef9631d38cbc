//! The vault over a local keyring.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use nora_kernel::{
    AgentId, BoxError, Entropy, OpenError, SealContext, SealError, Sealed, Vault, Workspace, WrappedKey,
};
use zeroize::Zeroizing;

use crate::context;
use crate::data_key::DataKey;
use crate::envelope::{Envelope, Purpose, SealingKey, Unreadable};
use crate::keyring::{Kek, KekId, Keyring};

/// Seals and opens with the keys of a [`Keyring`].
#[derive(Clone)]
pub struct RingVault {
    pub(crate) keyring: Arc<Keyring>,
    pub(crate) entropy: Arc<dyn Entropy>,
}

impl RingVault {
    /// A vault that wraps data keys with the keyring's active key and draws salts and keys from `entropy`.
    pub fn new(keyring: Arc<Keyring>, entropy: Arc<dyn Entropy>) -> Self {
        Self { keyring, entropy }
    }

    /// The id of the keyring's key that `key` is wrapped with; `None` if the bytes are no wrapped key.
    ///
    /// The id is read, not verified: it serves to count who still uses a key.
    pub fn kek_id(key: &WrappedKey) -> Option<KekId> {
        Envelope::parse(&key.0).ok().map(|envelope| KekId::from_bytes(envelope.key_id()))
    }

    /// Wraps the agent's data key with the active key; `None` if it already is.
    ///
    /// The data key itself stays the same, so what was sealed with it stays readable. Replace the stored bytes only
    /// where they still equal `key`.
    ///
    /// # Errors
    ///
    /// [`SealError::Key`] if `key` is not this agent's or its wrapping key is missing or retired.
    pub fn rewrap(
        &self,
        workspace: &Workspace,
        agent: AgentId,
        key: &WrappedKey,
    ) -> Result<Option<WrappedKey>, SealError> {
        let data_key = self.unwrap(workspace, agent, key).map_err(|Unreadable| SealError::Key)?;
        if Self::kek_id(key) == Some(self.keyring.active().id) {
            return Ok(None);
        }
        self.wrap(workspace, agent, &data_key).map(Some).map_err(SealError::Unavailable)
    }

    fn wrap(&self, workspace: &Workspace, agent: AgentId, data_key: &DataKey) -> Result<WrappedKey, BoxError> {
        let kek = for_data_keys(self.keyring.active());
        let context = context::of_data_key(workspace, agent, &kek.id);
        kek.seal(&*self.entropy, &context, &data_key.to_plaintext()).map(WrappedKey)
    }

    fn unwrap(&self, workspace: &Workspace, agent: AgentId, key: &WrappedKey) -> Result<DataKey, Unreadable> {
        let envelope = Envelope::parse(&key.0)?;
        let kek = self.keyring.opening(KekId::from_bytes(envelope.key_id())).ok_or(Unreadable)?;
        let context = context::of_data_key(workspace, agent, &envelope.key_id());
        DataKey::from_plaintext(&for_data_keys(kek).open(&context, &envelope)?)
    }

    fn open_secret(
        &self,
        key: &WrappedKey,
        context: &SealContext,
        sealed: &Sealed,
    ) -> Result<Zeroizing<Vec<u8>>, Unreadable> {
        let data_key = self.unwrap(&context.workspace, context.agent, key)?;
        let envelope = Envelope::parse(&sealed.0)?;
        data_key.for_secrets().open(&context::of_secret(context, data_key.id()), &envelope)
    }
}

fn for_data_keys(kek: &Kek) -> SealingKey<'_> {
    SealingKey { purpose: Purpose::DataKey, id: kek.id.to_bytes(), bytes: &kek.bytes }
}

#[async_trait]
impl Vault for RingVault {
    async fn new_agent_key(&self, workspace: &Workspace, agent: AgentId) -> Result<WrappedKey, SealError> {
        let data_key = DataKey::random(&*self.entropy).map_err(SealError::Unavailable)?;
        self.wrap(workspace, agent, &data_key).map_err(SealError::Unavailable)
    }

    async fn seal(&self, key: &WrappedKey, context: &SealContext, plaintext: &[u8]) -> Result<Sealed, SealError> {
        let data_key = self.unwrap(&context.workspace, context.agent, key).map_err(|Unreadable| SealError::Key)?;
        let bound = context::of_secret(context, data_key.id());
        let sealed = data_key.for_secrets().seal(&*self.entropy, &bound, plaintext);
        sealed.map(Sealed).map_err(SealError::Unavailable)
    }

    async fn open(
        &self,
        key: &WrappedKey,
        context: &SealContext,
        sealed: &Sealed,
    ) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        self.open_secret(key, context, sealed).map_err(|Unreadable| OpenError::Unreadable)
    }
}

impl fmt::Debug for RingVault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("RingVault").field("keyring", &self.keyring).finish_non_exhaustive()
    }
}
