//! Why a keyring was not made, read or changed. Nothing here repeats what the file holds.

use std::io;
use std::path::PathBuf;

use nora_kernel::BoxError;

use super::KekId;

/// The keyring was not read.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// There is no file.
    #[error("there is no keyring at {}", path.display())]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// There is something else than a file.
    #[error("{} is not a regular file", path.display())]
    NotAFile {
        /// Where it lies.
        path: PathBuf,
    },
    /// Others than its owner may read or write it.
    #[error("others may use the keyring {}, whose mode is {mode:04o}: make it private with chmod 600", path.display())]
    Exposed {
        /// Where it lies.
        path: PathBuf,
        /// The permission bits.
        mode: u32,
    },
    /// Its content is not a keyring.
    #[error("the keyring {} is not usable", path.display())]
    Invalid {
        /// Where it lies.
        path: PathBuf,
        /// What is wrong.
        source: KeyringFault,
    },
    /// The operating system refused.
    #[error("the keyring {} cannot be read", path.display())]
    Io {
        /// Where it lies.
        path: PathBuf,
        /// Its answer.
        source: io::Error,
    },
}

/// What is wrong with a keyring's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyringFault {
    /// There is nothing in it.
    #[error("it is empty")]
    Empty,
    /// It is larger than a keyring can be.
    #[error("it is larger than 64 KiB")]
    TooLarge,
    /// It is not UTF-8.
    #[error("it is not text")]
    NotText,
    /// It begins with something else.
    #[error("its first line is not `nora-keyring 1`")]
    Header,
    /// A line is wrong.
    #[error("line {line}: {fault}")]
    Line {
        /// Counted from 1.
        line: usize,
        /// How it is wrong.
        fault: LineFault,
    },
    /// There is no digest key.
    #[error("it has no digest key")]
    NoDigestKey,
    /// There are several digest keys.
    #[error("it has more than one digest key")]
    SeveralDigestKeys,
    /// No key is active.
    #[error("it has no active key")]
    NoActiveKey,
    /// Several keys are active.
    #[error("it has more than one active key")]
    SeveralActiveKeys,
    /// Two keys have the same id.
    #[error("it has more than one key with the id {0}")]
    RepeatedId(KekId),
    /// Two keys have the same secret.
    #[error("it has the same secret more than once")]
    RepeatedSecret,
}

/// What is wrong with a line of a keyring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LineFault {
    /// It is neither a key nor the digest key.
    #[error("it begins neither with `key` nor with `digest`")]
    Kind,
    /// It has too few or too many words.
    #[error("it has too few or too many words")]
    Words,
    /// The id is none.
    #[error("the id is not 32 lower-case hexadecimal digits")]
    Id,
    /// The state is none.
    #[error("the state is not `active`, `decrypt_only` or `retired`")]
    State,
    /// The time is none.
    #[error("the time is not in RFC 3339 form")]
    Time,
    /// The secret is not 32 bytes in base64.
    #[error("the secret is not 32 bytes in padded base64")]
    Secret,
    /// The secret is text, a sequence or a repetition.
    #[error("the secret is not random: it is text, a sequence or a repetition")]
    MadeUp,
}

/// No keyring was made.
#[derive(Debug, thiserror::Error)]
pub enum GenerateError {
    /// There is something at the path already. It was not touched.
    #[error("{} exists already and is not overwritten", path.display())]
    Exists {
        /// The path.
        path: PathBuf,
    },
    /// The system's generator failed.
    #[error("no key could be made")]
    Generator(#[source] BoxError),
    /// The operating system refused.
    #[error("the keyring {} cannot be written", path.display())]
    Io {
        /// The path.
        path: PathBuf,
        /// Its answer.
        source: io::Error,
    },
}

/// The keyring was not changed; the file is as it was, unless the operating system failed to flush it.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// It could not be read.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The path is a symbolic link, which a change would replace.
    #[error("{} is a symbolic link: name the file it leads to", path.display())]
    SymbolicLink {
        /// The link.
        path: PathBuf,
    },
    /// Another process is changing it.
    #[error("another process is changing the keyring {}", path.display())]
    Busy {
        /// The path.
        path: PathBuf,
    },
    /// There is no key with this id.
    #[error("the keyring has no key with the id {0}")]
    UnknownKey(KekId),
    /// The key is active: another one must be promoted first.
    #[error("key {0} is active")]
    Active(KekId),
    /// The key is retired.
    #[error("key {0} is retired")]
    Retired(KekId),
    /// Data keys are still wrapped with it.
    #[error("key {id} is still in use: {uses} values are wrapped with it")]
    InUse {
        /// The key.
        id: KekId,
        /// How many values name it.
        uses: u64,
    },
    /// The system's generator failed.
    #[error("no key could be made")]
    Generator(#[source] BoxError),
    /// The operating system refused.
    #[error("the keyring {} cannot be written", path.display())]
    Io {
        /// The path.
        path: PathBuf,
        /// Its answer.
        source: io::Error,
    },
}
