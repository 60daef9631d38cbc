//! What is signed, put together from the pieces of a request.

use std::borrow::Cow;

use ring::hmac;
use subtle::ConstantTimeEq as _;

use super::body::Body;
use super::verify::{Checked, optional};
use super::{HashAlgorithm, InboundRequest, RefusalReason, SignedPart, encoding};
use crate::signature::sha256;

/// A message in pieces, so that a large body is not copied to be hashed.
pub(super) struct Message<'a>(Vec<Cow<'a, [u8]>>);

impl<'a> Message<'a> {
    pub(super) fn of<const N: usize>(pieces: [&'a [u8]; N]) -> Self {
        Self(pieces.into_iter().map(Cow::Borrowed).collect())
    }

    /// Whether one of these is its MAC.
    pub(super) fn has_mac(&self, algorithm: HashAlgorithm, key: &[u8], candidates: &[Vec<u8>]) -> bool {
        let algorithm = match algorithm {
            HashAlgorithm::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            HashAlgorithm::Sha256 => hmac::HMAC_SHA256,
            HashAlgorithm::Sha512 => hmac::HMAC_SHA512,
        };
        let mut context = hmac::Context::with_key(&hmac::Key::new(algorithm, key));
        for piece in &self.0 {
            context.update(piece);
        }
        let tag = context.sign();
        candidates.iter().any(|candidate| tag.as_ref().ct_eq(candidate).into())
    }

    /// The pieces as one.
    pub(super) fn bytes(&self) -> Vec<u8> {
        self.0.concat()
    }
}

/// Puts a message together. `stamp` is the time of sending as it was written.
pub(super) fn message<'a>(
    parts: &'a [SignedPart],
    request: &'a InboundRequest<'_>,
    body: &'a Body<'_>,
    stamp: &'a str,
    url: &'a str,
) -> Checked<Message<'a>> {
    let piece = |part: &'a SignedPart| {
        Ok(match part {
            SignedPart::Text(text) => Cow::Borrowed(text.as_bytes()),
            SignedPart::Body => Cow::Borrowed(body.bytes()),
            SignedPart::Timestamp => Cow::Borrowed(stamp.as_bytes()),
            SignedPart::Url => Cow::Borrowed(url.as_bytes()),
            SignedPart::Method => Cow::Borrowed(request.method.as_str().as_bytes()),
            SignedPart::Header(name) => {
                let value = optional(request, name)?.ok_or(RefusalReason::MalformedRequest)?;
                Cow::Borrowed(value.as_bytes())
            }
            SignedPart::FormField(name) => {
                Cow::Borrowed(body.parameters().one(name).ok_or(RefusalReason::MalformedRequest)?)
            }
            SignedPart::FormSorted => Cow::Owned(body.parameters().sorted()),
        })
    };
    parts.iter().map(piece).collect::<Checked<_>>().map(Message)
}

/// The parts that are signed in this request. Where a service signs the parameters of its forms, and of other bodies
/// their SHA-256 in the query, those others have no parameters, and the digest must be right.
pub(super) fn parts<'p>(
    parts: &'p [SignedPart],
    request: &InboundRequest<'_>,
    body: &Body<'_>,
    body_hash_query: Option<&str>,
) -> Checked<Cow<'p, [SignedPart]>> {
    let Some(name) = body_hash_query else { return Ok(Cow::Borrowed(parts)) };
    let query = super::form::Form::parse(request.query.as_bytes());
    match (query.all(name).count(), query.text(name)) {
        (0, _) if body.is_form() => Ok(Cow::Borrowed(parts)),
        (1, Some(digest)) => {
            let digest = encoding::hex(digest).ok_or(RefusalReason::MalformedRequest)?;
            if !bool::from(sha256(body.bytes()).ct_eq(&digest)) {
                return Err(RefusalReason::Mismatch);
            }
            Ok(parts.iter().filter(|part| **part != SignedPart::FormSorted).cloned().collect())
        }
        _ => Err(RefusalReason::MalformedRequest),
    }
}

/// The URL a request was sent to, with its query.
pub(super) fn full_url(request: &InboundRequest<'_>) -> String {
    if request.query.is_empty() { request.url.to_owned() } else { format!("{}?{}", request.url, request.query) }
}

/// The URLs that may have been signed: the one a request was sent to and, where the service is of two minds about
/// ports, the same without its port or with the usual one.
pub(super) fn urls(request: &InboundRequest<'_>, ports: bool) -> Vec<String> {
    let url = full_url(request);
    let other = ports.then(|| other_port(&url)).flatten();
    std::iter::once(url).chain(other).collect()
}

fn other_port(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let usual = if scheme == "https" { "443" } else { "80" };
    let after_host = authority.rfind(']').unwrap_or(0);
    Some(match authority.rfind(':').filter(|at| *at >= after_host).and_then(|at| authority.split_at_checked(at)) {
        Some((host, _)) => format!("{scheme}://{host}{path}"),
        None => format!("{scheme}://{authority}:{usual}{path}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_other_spelling_of_a_port() {
        for (url, other) in [
            ("https://a.example/x?y=1", "https://a.example:443/x?y=1"),
            ("https://a.example:443/x", "https://a.example/x"),
            ("http://a.example:8080", "http://a.example"),
            ("http://[::1]/x", "http://[::1]:80/x"),
            ("http://[::1]:8080/x:9", "http://[::1]/x:9"),
        ] {
            assert_eq!(other_port(url).as_deref(), Some(other));
        }
    }
}
