//! The text of an API key: `nora_<id, 12>_<secret, 43><checksum, 6>`.
//!
//! The prefix and the checksum let a secret scanner, and this service, tell a key from anything else without asking
//! a database.

use std::fmt;
use std::str::FromStr;

use nora_kernel::{BoxError, Digest, Entropy, Secret};
use zeroize::Zeroizing;

use crate::base62;

const PREFIX: &str = "nora_";
const ID_LENGTH: usize = 12;
const SECRET_LENGTH: usize = 43;
const CHECKSUM_LENGTH: usize = 6;

/// The public part of a key, by which it is looked up. It proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PublicId(Box<str>);

impl PublicId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PublicId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for PublicId {
    type Err = NotAKey;

    fn from_str(text: &str) -> Result<Self, NotAKey> {
        if text.len() == ID_LENGTH && base62::is_base62(text) { Ok(Self(text.into())) } else { Err(NotAKey) }
    }
}

/// The text is not shaped like one of our keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an API key")]
pub struct NotAKey;

/// A whole key, secret part included.
pub struct KeyText {
    id: PublicId,
    secret: Secret,
}

impl fmt::Debug for KeyText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("KeyText").field("id", &self.id).finish_non_exhaustive()
    }
}

impl KeyText {
    /// Makes a new key.
    ///
    /// # Errors
    ///
    /// The source of randomness failed.
    pub fn generate(entropy: &dyn Entropy) -> Result<Self, BoxError> {
        let mut id = [0; 9];
        entropy.fill(&mut id)?;
        let mut secret = Zeroizing::new([0; 32]);
        entropy.fill(secret.as_mut_slice())?;
        let id = PublicId(base62::encode(&id, ID_LENGTH).into());
        Ok(Self { id, secret: Secret::new(base62::encode(secret.as_slice(), SECRET_LENGTH)) })
    }

    /// The public part.
    pub fn id(&self) -> &PublicId {
        &self.id
    }

    /// What is stored instead of the secret part: its SHA-256. 256 random bits need no slow hash.
    pub fn hash(&self, digest: &dyn Digest) -> [u8; 32] {
        digest.sha256(self.secret.expose().as_bytes())
    }

    /// The key as its holder sees it, once.
    pub fn reveal(&self) -> Secret {
        let body = Zeroizing::new(format!("{PREFIX}{}_{}", self.id, self.secret.expose()));
        Secret::new(format!("{}{}", *body, checksum(&body)))
    }
}

impl FromStr for KeyText {
    type Err = NotAKey;

    fn from_str(text: &str) -> Result<Self, NotAKey> {
        let split = text.len().checked_sub(CHECKSUM_LENGTH).ok_or(NotAKey)?;
        let (body, sum) = text.split_at_checked(split).ok_or(NotAKey)?;
        let (id, secret) = body.strip_prefix(PREFIX).and_then(|rest| rest.split_once('_')).ok_or(NotAKey)?;
        if secret.len() != SECRET_LENGTH || !base62::is_base62(secret) || checksum(body) != sum {
            return Err(NotAKey);
        }
        Ok(Self { id: id.parse()?, secret: Secret::new(secret.to_owned()) })
    }
}

fn checksum(body: &str) -> String {
    base62::encode(&crc32fast::hash(body.as_bytes()).to_be_bytes(), CHECKSUM_LENGTH)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Counting;

    impl Entropy for Counting {
        fn fill(&self, buffer: &mut [u8]) -> Result<(), BoxError> {
            buffer.iter_mut().zip(1..).for_each(|(byte, value)| *byte = value);
            Ok(())
        }
    }

    #[test]
    fn a_key_is_read_back_and_no_other_text_is() {
        let text = KeyText::generate(&Counting).unwrap().reveal();
        let text = text.expose();
        assert_eq!(text.len(), 5 + 12 + 1 + 43 + 6);
        let read: KeyText = text.parse().unwrap();
        assert_eq!(read.reveal().expose(), text);
        for position in 0..text.len() {
            let mut changed = text.to_owned();
            let other = if text.as_bytes()[position] == b'x' { "y" } else { "x" };
            changed.replace_range(position..=position, other);
            assert!(changed.parse::<KeyText>().is_err(), "{position}");
        }
        for refused in ["", "nora_", "nora__", &text[..66], &format!("{text}0"), "ключ", &"é".repeat(40)] {
            assert!(refused.parse::<KeyText>().is_err(), "{refused}");
        }
    }

    #[test]
    fn debug_hides_the_secret() {
        let key = KeyText::generate(&Counting).unwrap();
        assert!(!format!("{key:?}").contains(key.secret.expose()));
    }
}
