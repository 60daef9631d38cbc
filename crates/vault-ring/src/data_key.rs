//! An agent's data key, for as long as one call needs it.

use nora_kernel::{BoxError, Entropy};
use zeroize::Zeroizing;

use crate::envelope::{KeyId, Purpose, SealingKey, Unreadable};
use crate::key_bytes::{KEY_LENGTH, KeyBytes};

const ID_LENGTH: usize = 16;

pub(crate) struct DataKey {
    id: KeyId,
    bytes: KeyBytes,
}

impl DataKey {
    pub(crate) fn random(entropy: &dyn Entropy) -> Result<Self, BoxError> {
        let mut id = [0; ID_LENGTH];
        entropy.fill(&mut id)?;
        Ok(Self { id, bytes: KeyBytes::random(entropy)? })
    }

    pub(crate) fn from_plaintext(plaintext: &[u8]) -> Result<Self, Unreadable> {
        let (id, key) = plaintext.split_first_chunk().ok_or(Unreadable)?;
        let key: &[u8; KEY_LENGTH] = key.try_into().map_err(|_| Unreadable)?;
        Ok(Self { id: *id, bytes: KeyBytes::copy_of(key) })
    }

    pub(crate) fn to_plaintext(&self) -> Zeroizing<Vec<u8>> {
        let mut plaintext = Zeroizing::new(Vec::with_capacity(ID_LENGTH + KEY_LENGTH));
        plaintext.extend_from_slice(&self.id);
        plaintext.extend_from_slice(self.bytes.expose());
        plaintext
    }

    pub(crate) fn id(&self) -> &KeyId {
        &self.id
    }

    pub(crate) fn for_secrets(&self) -> SealingKey<'_> {
        SealingKey { purpose: Purpose::Secret, id: self.id, bytes: &self.bytes }
    }
}
