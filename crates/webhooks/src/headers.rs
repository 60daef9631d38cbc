//! Headers of a request as it arrived.

/// Header names, in lower case, and their raw values, in the order they arrived. A name may come more than once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Headers(Vec<(String, Vec<u8>)>);

/// The bytes are no headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the kept headers are malformed")]
pub struct MalformedHeaders;

impl Headers {
    /// The pairs, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_slice()))
    }

    /// One value for the databases: each name and value behind its length (4 bytes, big-endian).
    pub fn to_bytes(&self) -> Vec<u8> {
        let size = self.0.iter().map(|(name, value)| 8 + name.len() + value.len()).sum();
        let mut bytes = Vec::with_capacity(size);
        for part in self.iter().flat_map(|(name, value)| [name.as_bytes(), value]) {
            // No head of a request comes near 4 GiB.
            bytes.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
            bytes.extend_from_slice(part);
        }
        bytes
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote.
    ///
    /// # Errors
    ///
    /// The bytes are cut off or not ours.
    pub fn from_bytes(mut bytes: &[u8]) -> Result<Self, MalformedHeaders> {
        let mut pairs = Vec::new();
        while !bytes.is_empty() {
            let (name, rest) = take_part(bytes).ok_or(MalformedHeaders)?;
            let (value, rest) = take_part(rest).ok_or(MalformedHeaders)?;
            let name = std::str::from_utf8(name).map_err(|_| MalformedHeaders)?;
            pairs.push((name.to_owned(), value.to_vec()));
            bytes = rest;
        }
        Ok(Self(pairs))
    }
}

impl FromIterator<(String, Vec<u8>)> for Headers {
    fn from_iter<I: IntoIterator<Item = (String, Vec<u8>)>>(pairs: I) -> Self {
        Self(pairs.into_iter().collect())
    }
}

fn take_part(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn headers_survive_and_nothing_shorter_does() {
        let pair = |name: &str, value: &[u8]| (name.to_owned(), value.to_vec());
        let headers = Headers::from_iter([pair("x-a", b"\xff\0"), pair("x-a", b""), pair("", b"twice")]);
        let bytes = headers.to_bytes();
        assert_eq!(Headers::from_bytes(&bytes), Ok(headers));
        let whole = [0, 4 + 3 + 4 + 2, 4 + 3 + 4 + 2 + 4 + 3 + 4];
        for length in (0..bytes.len()).filter(|length| !whole.contains(length)) {
            assert_eq!(Headers::from_bytes(&bytes[..length]), Err(MalformedHeaders), "{length}");
        }
    }
}
