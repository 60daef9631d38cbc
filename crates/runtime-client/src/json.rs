//! JSON that holds credentials, and digests over it.

use std::io::{self, Write};

use ring::digest::{Context, SHA256};
use serde::Serialize;
use zeroize::Zeroizing;

/// The JSON of `document`, in memory that is overwritten. `None` only if it cannot be written as JSON.
pub(crate) fn encode(document: &impl Serialize) -> Option<Zeroizing<Vec<u8>>> {
    // Measured first: a buffer that grows leaves copies of the secrets behind.
    let mut length = Length(0);
    serde_json::to_writer(&mut length, document).ok()?;
    let mut json = Zeroizing::new(Vec::with_capacity(length.0));
    serde_json::to_writer(&mut *json, document).ok()?;
    Some(json)
}

/// `sha256:` and the SHA-256 of the canonical JSON (RFC 8785).
pub(crate) fn digest(covered: &impl Serialize) -> Option<String> {
    let mut hash = Hash(Context::new(&SHA256));
    serde_json_canonicalizer::to_writer(covered, &mut hash).ok()?;
    Some(format!("sha256:{}", hex::encode(hash.0.finish())))
}

struct Hash(Context);

impl Write for Hash {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Length(usize);

impl Write for Length {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
