//! Digests over canonical JSON (RFC 8785).

use nora_kernel::Secret;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// `sha256:` and the hexadecimal SHA-256 of the canonical JSON of `value`; `None` if it has none.
pub(crate) fn of_json<T: Serialize>(value: &T) -> Option<String> {
    let canonical = Zeroizing::new(serde_json_canonicalizer::to_vec(value).ok()?);
    Some(of_bytes(&canonical))
}

/// `sha256:` and the hexadecimal SHA-256 of a variable's value.
pub(crate) fn of_secret(secret: &Secret) -> String {
    of_bytes(secret.expose().as_bytes())
}

pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

fn of_bytes(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(sha256(bytes)))
}
