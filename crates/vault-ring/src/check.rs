//! The check value: a wrong keyring stops the start instead of writing what nobody can read.

use nora_kernel::{Digest as _, SealError};
use subtle::ConstantTimeEq as _;

use crate::context;
use crate::digest::RingDigest;
use crate::envelope::{Envelope, Purpose, SealingKey};
use crate::keyring::{Kek, KekId};
use crate::vault::RingVault;

const DIGEST_PURPOSE: &str = "vault-check/v1";
const CONSTANT: &[u8] = b"nora vault check value";

/// The keyring is not the one this installation's secrets were sealed with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WrongKeyring {
    /// The keyring has no such key, or lists it as retired.
    #[error("the keyring lacks key id {0}, with which the stored check value was sealed, or lists it as retired")]
    MissingKey(KekId),
    /// The keyring has a key with this id, but it opens nothing here.
    #[error("key id {0} of the keyring is not the key with which the stored check value was sealed")]
    OtherKey(KekId),
    /// The key is right and the digest key is not.
    #[error("the digest key of the keyring is not the one this installation began with")]
    OtherDigestKey,
    /// What is stored is no check value.
    #[error("the stored check value is damaged")]
    Damaged,
}

/// The check value was not sealed anew.
#[derive(Debug, thiserror::Error)]
pub enum RewrapCheckError {
    /// It does not belong to this keyring.
    #[error(transparent)]
    WrongKeyring(#[from] WrongKeyring),
    /// The system's generator failed.
    #[error(transparent)]
    Seal(#[from] SealError),
}

impl RingVault {
    /// Makes the check value of this keyring, to be stored once at the first start.
    ///
    /// # Errors
    ///
    /// [`SealError::Unavailable`] if the system's generator failed.
    pub fn seal_check(&self) -> Result<Vec<u8>, SealError> {
        let kek = for_check(self.keyring.active());
        let sealed = kek.seal(&*self.entropy, &context::of_check(&kek.id), &self.check_digest());
        sealed.map_err(SealError::Unavailable)
    }

    /// Whether the stored check value was made with this keyring. Ask at every start, before anything is written.
    pub fn verify_check(&self, stored: &[u8]) -> Result<(), WrongKeyring> {
        let envelope = Envelope::parse(stored).map_err(|_| WrongKeyring::Damaged)?;
        let id = KekId::from_bytes(envelope.key_id());
        let kek = self.keyring.opening(id).ok_or(WrongKeyring::MissingKey(id))?;
        let context = context::of_check(&envelope.key_id());
        let digest = for_check(kek).open(&context, &envelope).map_err(|_| WrongKeyring::OtherKey(id))?;
        if bool::from(digest.ct_eq(self.check_digest().as_slice())) {
            Ok(())
        } else {
            Err(WrongKeyring::OtherDigestKey)
        }
    }

    /// Seals the check value with the active key; `None` if it already is. Do it before the older key is retired.
    pub fn rewrap_check(&self, stored: &[u8]) -> Result<Option<Vec<u8>>, RewrapCheckError> {
        self.verify_check(stored)?;
        let used = Envelope::parse(stored).map(|envelope| KekId::from_bytes(envelope.key_id()));
        if used == Ok(self.keyring.active().id) { Ok(None) } else { Ok(Some(self.seal_check()?)) }
    }

    fn check_digest(&self) -> [u8; 32] {
        RingDigest::new(&self.keyring).keyed(DIGEST_PURPOSE, CONSTANT)
    }
}

fn for_check(kek: &Kek) -> SealingKey<'_> {
    SealingKey { purpose: Purpose::Check, id: kek.id.to_bytes(), bytes: &kek.bytes }
}
