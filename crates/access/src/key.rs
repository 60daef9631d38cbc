//! What is kept of an API key.

use std::fmt;
use std::str::FromStr;

use nora_kernel::{ApiKeyId, Cursor, Scopes, Timestamp, Workspace};

use crate::PublicId;

/// A name a person gives a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyName(String);

/// The name is empty, longer than 200 characters, or holds control characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a key's name must be 1 to 200 characters, none of them a control character")]
pub struct InvalidKeyName;

impl KeyName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for KeyName {
    type Err = InvalidKeyName;

    fn from_str(text: &str) -> Result<Self, InvalidKeyName> {
        let length = text.chars().count();
        if (1..=200).contains(&length) && !text.chars().any(char::is_control) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidKeyName)
        }
    }
}

/// An API key's record, without anything that could be used as the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// The record's id.
    pub id: ApiKeyId,
    /// The public part of the key.
    pub public_id: PublicId,
    /// What a person calls it.
    pub name: KeyName,
    /// What it may do.
    pub scopes: Scopes,
    /// Whose objects exist for it.
    pub workspace: Workspace,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it is refused.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
}

impl ApiKey {
    /// The key's place in a list.
    pub fn cursor(&self) -> Cursor {
        Cursor { at: self.created_at, id: self.id.as_uuid() }
    }
}

/// A key's record with the SHA-256 of its secret part.
#[derive(Clone)]
pub struct StoredKey {
    /// The record.
    pub key: ApiKey,
    /// SHA-256 of the secret part.
    pub hash: [u8; 32],
}

impl fmt::Debug for StoredKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("StoredKey").field("key", &self.key).finish_non_exhaustive()
    }
}
