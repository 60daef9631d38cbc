//! Key material in memory.

use nora_kernel::{BoxError, Entropy};
use zeroize::Zeroizing;

pub(crate) const KEY_LENGTH: usize = 32;

/// 32 bytes of key material, overwritten when dropped and never shown.
///
/// They lie on the heap, so that a move copies a pointer and leaves no key behind.
pub(crate) struct KeyBytes(Box<Zeroizing<[u8; KEY_LENGTH]>>);

impl KeyBytes {
    fn zeroed() -> Self {
        Self(Box::new(Zeroizing::new([0; KEY_LENGTH])))
    }

    pub(crate) fn random(entropy: &dyn Entropy) -> Result<Self, BoxError> {
        let mut key = Self::zeroed();
        entropy.fill(key.0.as_mut_slice())?;
        Ok(key)
    }

    pub(crate) fn copy_of(bytes: &[u8; KEY_LENGTH]) -> Self {
        let mut key = Self::zeroed();
        key.0.copy_from_slice(bytes);
        key
    }

    pub(crate) fn expose(&self) -> &[u8; KEY_LENGTH] {
        &self.0
    }
}
