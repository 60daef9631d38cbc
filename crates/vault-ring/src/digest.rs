//! Digests, plain and keyed.

use std::fmt;

use nora_kernel::Digest;
use ring::digest::{SHA256, digest};
use ring::hmac::{self, HMAC_SHA256};

use crate::key_bytes::KeyBytes;
use crate::keyring::Keyring;

const ROOT_INFO: &[u8] = b"nora/digest/v1";

/// SHA-256, and HMAC-SHA256 under keys derived from the keyring's digest key.
pub struct RingDigest {
    root: KeyBytes,
}

impl RingDigest {
    /// Derives the root of the keyed digests.
    pub fn new(keyring: &Keyring) -> Self {
        let extracted = hmac::sign(&hmac::Key::new(HMAC_SHA256, &[]), keyring.digest_key().expose());
        let root = expand(&hmac::Key::new(HMAC_SHA256, extracted.as_ref()), ROOT_INFO);
        Self { root: KeyBytes::copy_of(&array(root.as_ref())) }
    }
}

impl Digest for RingDigest {
    fn sha256(&self, bytes: &[u8]) -> [u8; 32] {
        array(digest(&SHA256, bytes).as_ref())
    }

    fn keyed(&self, purpose: &'static str, bytes: &[u8]) -> [u8; 32] {
        let key = expand(&hmac::Key::new(HMAC_SHA256, self.root.expose()), purpose.as_bytes());
        array(hmac::sign(&hmac::Key::new(HMAC_SHA256, key.as_ref()), bytes).as_ref())
    }
}

impl fmt::Debug for RingDigest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("RingDigest").finish_non_exhaustive()
    }
}

/// HKDF-Expand where one block is enough. Unlike ring's own it cannot fail, as the port demands.
fn expand(root: &hmac::Key, info: &[u8]) -> hmac::Tag {
    let mut context = hmac::Context::with_key(root);
    context.update(info);
    context.update(&[1]);
    context.sign()
}

/// The 32 bytes of a SHA-256 output, which ring hands out as a slice.
fn array(output: &[u8]) -> [u8; 32] {
    let mut array = [0; 32];
    array.iter_mut().zip(output).for_each(|(to, from)| *to = *from);
    array
}
