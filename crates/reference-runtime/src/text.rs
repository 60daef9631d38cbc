//! Values of variables on their way between JSON and the environment.

use nora_kernel::Secret;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A secret that this crate, and nobody else, may write back into JSON: into the digest and the state file.
#[derive(Debug)]
pub(crate) struct SecretText(pub(crate) Secret);

impl Clone for SecretText {
    fn clone(&self) -> Self {
        Self(self.0.duplicate())
    }
}

impl PartialEq for SecretText {
    fn eq(&self, other: &Self) -> bool {
        self.0.expose() == other.0.expose()
    }
}

impl Eq for SecretText {}

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Secret::new).map(Self)
    }
}

impl Serialize for SecretText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.expose())
    }
}
