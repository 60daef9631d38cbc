//! Bytes that are overwritten once they are sent.

use bytes::Bytes;
use reqwest::Body;
use zeroize::Zeroizing;

/// Lends `document` to the HTTP library without a copy. Its length is known, so that `Content-Length` is sent.
pub(crate) fn of(document: Zeroizing<Vec<u8>>) -> Body {
    Bytes::from_owner(Wiped(document)).into()
}

/// Owns bytes for a library that only borrows them.
pub(crate) struct Wiped(pub(crate) Zeroizing<Vec<u8>>);

impl AsRef<[u8]> for Wiped {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}
