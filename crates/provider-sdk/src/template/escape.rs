//! Making a value fit for the place it stands in.

use std::fmt::Write as _;

use nora_kernel::Secret;

/// The place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Escape {
    /// Anywhere control characters would do no harm: nothing is changed.
    Nothing,
    /// A part of one path segment.
    Path,
    /// A query or form value.
    Query,
    /// A header's value.
    Header,
    /// Between the quotation marks of a JSON string.
    Json,
}

impl Escape {
    /// The value as it stands there.
    ///
    /// # Errors
    ///
    /// Why it cannot stand there.
    pub(crate) fn apply(self, value: Secret) -> Result<Secret, &'static str> {
        match self {
            Self::Nothing => Ok(value),
            Self::Path => Ok(percent_encode(&value, |byte| is_unreserved(byte) || b":@!$'()*,;".contains(&byte))),
            Self::Query => Ok(percent_encode(&value, is_unreserved)),
            Self::Header if is_header_text(value.expose()) => Ok(value),
            Self::Header => Err("holds characters that cannot stand in an HTTP header"),
            Self::Json => json_escape(&value),
        }
    }
}

/// Whether an HTTP header can carry `text`: printable ASCII.
pub(crate) fn is_header_text(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ')
}

const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

fn percent_encode(value: &Secret, keep: impl Fn(u8) -> bool) -> Secret {
    // Room for the longest outcome, so that growing leaves no copy of a secret behind.
    let mut encoded = String::with_capacity(value.expose().len() * 3);
    for byte in value.expose().bytes() {
        if keep(byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    Secret::new(encoded)
}

fn json_escape(value: &Secret) -> Result<Secret, &'static str> {
    let quoted = serde_json::to_string(value.expose()).map(Secret::new).map_err(|_| "cannot be written as JSON")?;
    let inner = quoted.expose().strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    inner.map(|text| Secret::new(text.to_owned())).ok_or("cannot be written as JSON")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn escaped(escape: Escape, text: &str) -> Option<String> {
        escape.apply(Secret::new(text.to_owned())).ok().map(|secret| secret.expose().to_owned())
    }

    #[test]
    fn a_value_stays_in_its_place() {
        assert_eq!(escaped(Escape::Path, "a/../b?c#d%e f:1@é").unwrap(), "a%2F..%2Fb%3Fc%23d%25e%20f:1@%C3%A9");
        assert_eq!(escaped(Escape::Query, "a&b=c+d/é").unwrap(), "a%26b%3Dc%2Bd%2F%C3%A9");
        assert_eq!(escaped(Escape::Json, "a\"b\\c\nd").unwrap(), "a\\\"b\\\\c\\nd");
        assert_eq!(escaped(Escape::Header, "Bearer x"), Some("Bearer x".to_owned()));
        for refused in ["a\r\nX: y", "a\u{0}", "a\tb", "é", "\u{7f}"] {
            assert_eq!(escaped(Escape::Header, refused), None, "{refused:?}");
        }
    }
}
