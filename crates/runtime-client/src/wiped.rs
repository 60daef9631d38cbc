//! JSON in memory that is overwritten.

use std::io::{self, Write};

use serde::Serialize;
use zeroize::Zeroizing;

/// `value` as JSON. `None` only if it cannot be written as JSON.
pub(crate) fn json<T: Serialize>(value: &T) -> Option<Zeroizing<Vec<u8>>> {
    // Measured first: a buffer that grows leaves copies of the secrets behind.
    let mut length = Length(0);
    serde_json::to_writer(&mut length, value).ok()?;
    let mut json = Zeroizing::new(Vec::with_capacity(length.0));
    serde_json::to_writer(&mut *json, value).ok()?;
    Some(json)
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
