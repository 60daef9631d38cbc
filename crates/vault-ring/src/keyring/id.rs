//! Ids of the keyring's keys.

use std::fmt;
use std::str::FromStr;

use nora_kernel::{BoxError, Entropy};

use crate::envelope::KeyId;

/// Names a key of the keyring: 16 random bytes, 32 lower-case hexadecimal digits as text. It is no secret.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KekId(KeyId);

/// The text is not 32 lower-case hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a key id is 32 lower-case hexadecimal digits")]
pub struct InvalidKekId;

impl KekId {
    /// The id with these bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The id's bytes, as an envelope carries them.
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0
    }

    pub(crate) fn random(entropy: &dyn Entropy) -> Result<Self, BoxError> {
        let mut bytes = [0; 16];
        entropy.fill(&mut bytes)?;
        Ok(Self(bytes))
    }
}

impl FromStr for KekId {
    type Err = InvalidKekId;

    fn from_str(text: &str) -> Result<Self, InvalidKekId> {
        let mut bytes = [0; 16];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| InvalidKekId)?;
        let id = Self(bytes);
        if id.to_string() == text { Ok(id) } else { Err(InvalidKekId) }
    }
}

impl fmt::Display for KekId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for KekId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "KekId({self})")
    }
}
