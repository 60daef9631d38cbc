//! The one layout of everything that is sealed.

use nora_kernel::{BoxError, Entropy};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, KeyType, Salt};
use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::key_bytes::{KEY_LENGTH, KeyBytes};

pub(crate) const VERSION: u8 = 1;
const SUITE: u8 = 1;
const NONCE_LENGTH: usize = 12;
const SALT_LENGTH: usize = 32;
const COMMITMENT_LENGTH: usize = 32;
const TAG_LENGTH: usize = 16;
const DERIVED_LENGTH: usize = KEY_LENGTH + NONCE_LENGTH + COMMITMENT_LENGTH;

/// Names a key without telling anything about it.
pub(crate) type KeyId = [u8; 16];

/// What a key seals. A key derived for one purpose opens nothing of another.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Purpose {
    Secret,
    DataKey,
    Check,
}

impl Purpose {
    const fn info(self) -> &'static [u8] {
        match self {
            Self::Secret => b"nora/secret/v1",
            Self::DataKey => b"nora/dek/v1",
            Self::Check => b"nora/check/v1",
        }
    }
}

/// The bytes are no envelope, or do not open under this key with this additional data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the sealed value does not open")]
pub(crate) struct Unreadable;

#[derive(Debug, thiserror::Error)]
#[error("the value is too large to seal")]
struct TooLarge;

/// An envelope's parts, cut but not believed.
pub(crate) struct Envelope<'a> {
    key_id: &'a KeyId,
    salt: &'a [u8; SALT_LENGTH],
    commitment: &'a [u8; COMMITMENT_LENGTH],
    ciphertext_and_tag: &'a [u8],
}

impl<'a> Envelope<'a> {
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, Unreadable> {
        let (&[version, suite], rest) = bytes.split_first_chunk().ok_or(Unreadable)?;
        let (key_id, rest) = rest.split_first_chunk().ok_or(Unreadable)?;
        let (salt, rest) = rest.split_first_chunk().ok_or(Unreadable)?;
        let (commitment, ciphertext_and_tag) = rest.split_first_chunk().ok_or(Unreadable)?;
        if version != VERSION || suite != SUITE || ciphertext_and_tag.len() < TAG_LENGTH {
            return Err(Unreadable);
        }
        Ok(Self { key_id, salt, commitment, ciphertext_and_tag })
    }

    pub(crate) fn key_id(&self) -> KeyId {
        *self.key_id
    }
}

/// A key, its id and the one purpose it is used for here.
pub(crate) struct SealingKey<'a> {
    pub(crate) purpose: Purpose,
    pub(crate) id: KeyId,
    pub(crate) bytes: &'a KeyBytes,
}

impl SealingKey<'_> {
    pub(crate) fn seal(&self, entropy: &dyn Entropy, context: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, BoxError> {
        let mut salt = [0; SALT_LENGTH];
        entropy.fill(&mut salt)?;
        let record = self.derive(&salt).map_err(|_| TooLarge)?;

        // With room for the tag from the start: growing would leave a copy of the plaintext behind.
        let mut body = Zeroizing::new(Vec::with_capacity(plaintext.len().saturating_add(TAG_LENGTH)));
        body.extend_from_slice(plaintext);
        let nonce = Nonce::assume_unique_for_key(record.nonce);
        let cipher = record.cipher().map_err(|_| TooLarge)?;
        cipher.seal_in_place_append_tag(nonce, Aad::from(context), &mut *body).map_err(|_| TooLarge)?;

        Ok([&[VERSION, SUITE], self.id.as_slice(), &salt, &record.commitment, &body].concat())
    }

    pub(crate) fn open(&self, context: &[u8], envelope: &Envelope<'_>) -> Result<Zeroizing<Vec<u8>>, Unreadable> {
        let record = self.derive(envelope.salt)?;
        let committed = record.commitment.ct_eq(envelope.commitment) & self.id.ct_eq(envelope.key_id);
        if !bool::from(committed) {
            return Err(Unreadable);
        }
        let mut body = Zeroizing::new(envelope.ciphertext_and_tag.to_vec());
        let nonce = Nonce::assume_unique_for_key(record.nonce);
        let length =
            record.cipher()?.open_in_place(nonce, Aad::from(context), &mut body).map_err(|_| Unreadable)?.len();
        body.truncate(length);
        Ok(body)
    }

    fn derive(&self, salt: &[u8; SALT_LENGTH]) -> Result<Box<RecordKey>, Unreadable> {
        let root = Salt::new(HKDF_SHA256, salt).extract(self.bytes.expose());
        let info = [self.purpose.info(), &[SUITE]];
        let mut derived = Zeroizing::new([0; DERIVED_LENGTH]);
        root.expand(&info, DerivedLength).and_then(|output| output.fill(&mut *derived)).map_err(|_| Unreadable)?;
        RecordKey::cut(&derived).ok_or(Unreadable)
    }
}

struct DerivedLength;

impl KeyType for DerivedLength {
    fn len(&self) -> usize {
        DERIVED_LENGTH
    }
}

/// What is derived for one envelope. It is boxed, so that a move leaves no key behind.
#[derive(Default, Zeroize, ZeroizeOnDrop)]
struct RecordKey {
    key: [u8; KEY_LENGTH],
    nonce: [u8; NONCE_LENGTH],
    commitment: [u8; COMMITMENT_LENGTH],
}

impl RecordKey {
    fn cut(derived: &[u8; DERIVED_LENGTH]) -> Option<Box<Self>> {
        let (key, rest) = derived.split_first_chunk::<KEY_LENGTH>()?;
        let (nonce, rest) = rest.split_first_chunk::<NONCE_LENGTH>()?;
        let mut record = Box::<Self>::default();
        record.key.copy_from_slice(key);
        record.nonce.copy_from_slice(nonce);
        record.commitment = rest.try_into().ok()?;
        Some(record)
    }

    fn cipher(&self) -> Result<LessSafeKey, Unreadable> {
        UnboundKey::new(&AES_256_GCM, &self.key).map(LessSafeKey::new).map_err(|_| Unreadable)
    }
}
