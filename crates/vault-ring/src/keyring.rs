//! The keys everything is wrapped with.

mod change;
mod error;
mod file;
mod format;
mod id;
mod strength;

use std::path::Path;
use std::{fmt, io};

use nora_kernel::{BoxError, Entropy, Timestamp};

use crate::key_bytes::KeyBytes;

pub use error::{ChangeError, GenerateError, KeyringFault, LineFault, LoadError};
pub use id::{InvalidKekId, KekId};

/// What a key of the keyring is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyState {
    /// It seals and opens. Exactly one key is active.
    Active,
    /// It opens what it sealed while it was active, or waits to become active.
    DecryptOnly,
    /// It does nothing.
    Retired,
}

impl KeyState {
    /// The name in the file and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::DecryptOnly => "decrypt_only",
            Self::Retired => "retired",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [Self::Active, Self::DecryptOnly, Self::Retired].into_iter().find(|state| state.as_str() == name)
    }
}

impl fmt::Display for KeyState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A key without its secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyStatus {
    /// Its id.
    pub id: KekId,
    /// What it is used for.
    pub state: KeyState,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A key that wraps data keys.
pub(crate) struct Kek {
    pub(crate) id: KekId,
    created_at: Timestamp,
    pub(crate) bytes: KeyBytes,
}

impl Kek {
    fn random(entropy: &dyn Entropy, created_at: Timestamp) -> Result<Self, BoxError> {
        Ok(Self { id: KekId::random(entropy)?, created_at, bytes: KeyBytes::random(entropy)? })
    }

    fn status(&self, state: KeyState) -> KeyStatus {
        KeyStatus { id: self.id, state, created_at: self.created_at }
    }
}

/// The key that keyed digests are derived from. It never rotates.
struct DigestKey {
    created_at: Timestamp,
    bytes: KeyBytes,
}

/// The keys everything is wrapped with, and the one that digests are made with. See the crate's page for the file.
///
/// `Debug` shows ids and states, never a key.
pub struct Keyring {
    digest: DigestKey,
    active: Kek,
    decrypt_only: Vec<Kek>,
    retired: Vec<Kek>,
}

impl Keyring {
    /// Makes a keyring with one active key and writes it to `path`, mode 0600.
    ///
    /// The file appears complete and on disk, or not at all. Its directory must exist.
    ///
    /// # Errors
    ///
    /// [`GenerateError::Exists`] if there is anything at `path`, which stays as it is.
    pub fn generate(path: &Path, entropy: &dyn Entropy, now: Timestamp) -> Result<Self, GenerateError> {
        let keyring = Self::random(entropy, now).map_err(GenerateError::Generator)?;
        let written = format::render(&keyring).and_then(|content| file::create(path, &content));
        written.map_err(|source| match source.kind() {
            io::ErrorKind::AlreadyExists => GenerateError::Exists { path: path.to_owned() },
            _ => GenerateError::Io { path: path.to_owned(), source },
        })?;
        Ok(keyring)
    }

    /// Reads the keyring at `path`.
    ///
    /// # Errors
    ///
    /// Each variant of [`LoadError`] says what an operator has to do. None repeats the file's content.
    pub fn load(path: &Path) -> Result<Self, LoadError> {
        let content = file::read(path)?;
        format::parse(&content).map_err(|source| LoadError::Invalid { path: path.to_owned(), source })
    }

    /// Every key, oldest first.
    pub fn status(&self) -> Vec<KeyStatus> {
        let mut status: Vec<_> = self.keys().map(|(kek, state)| kek.status(state)).collect();
        status.sort_by_key(|key| (key.created_at, key.id));
        status
    }

    /// Whether this keyring can open what the key `id` sealed.
    pub fn opens(&self, id: KekId) -> bool {
        self.opening(id).is_some()
    }

    pub(crate) fn active(&self) -> &Kek {
        &self.active
    }

    pub(crate) fn opening(&self, id: KekId) -> Option<&Kek> {
        std::iter::once(&self.active).chain(&self.decrypt_only).find(|kek| kek.id == id)
    }

    pub(crate) fn digest_key(&self) -> &KeyBytes {
        &self.digest.bytes
    }

    fn random(entropy: &dyn Entropy, now: Timestamp) -> Result<Self, BoxError> {
        Ok(Self {
            digest: DigestKey { created_at: now, bytes: KeyBytes::random(entropy)? },
            active: Kek::random(entropy, now)?,
            decrypt_only: Vec::new(),
            retired: Vec::new(),
        })
    }

    fn keys(&self) -> impl Iterator<Item = (&Kek, KeyState)> {
        let decrypt_only = self.decrypt_only.iter().map(|kek| (kek, KeyState::DecryptOnly));
        let retired = self.retired.iter().map(|kek| (kek, KeyState::Retired));
        std::iter::once((&self.active, KeyState::Active)).chain(decrypt_only).chain(retired)
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Keyring").field(&self.status()).finish()
    }
}
