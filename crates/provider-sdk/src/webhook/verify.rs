//! Whether a request comes from whom it says, by each way a scheme has.

use nora_kernel::{Secret, Timestamp as Time};
use subtle::ConstantTimeEq as _;

use super::body::Body;
use super::signed::{self, Message};
use super::{
    ChannelKeys, HashAlgorithm, InboundRequest, Key, KeyEncoding, MAX_HEADER, MAX_SIGNATURES, RefusalReason,
    SignatureAlgorithm, SignaturePlace, StampUnit, Timestamp, TimestampPlace, TokenPlace, VerificationMethod, encoding,
    jwt,
};
use crate::signature::sha256;

pub(super) type Checked<T> = Result<T, RefusalReason>;

/// What a verified request proved.
#[derive(Debug)]
pub(super) struct Proof {
    /// Which secret.
    pub(super) by: usize,
    /// The time of sending as it was written, where the signature covers it.
    pub(super) stamp: Option<String>,
}

/// Verifies a request by one way.
pub(super) fn verify(
    method: &VerificationMethod,
    request: &InboundRequest<'_>,
    body: &Body<'_>,
    keys: &ChannelKeys<'_>,
    now: Time,
) -> Checked<Proof> {
    if keys.secrets.is_empty() {
        return Err(RefusalReason::NoKey);
    }
    let by = |found: Option<usize>| found.map(|by| Proof { by, stamp: None }).ok_or(RefusalReason::Mismatch);
    match method {
        VerificationMethod::Hmac {
            algorithm,
            signature,
            signed: parts,
            timestamp,
            key,
            url_ports,
            body_hash_query,
        } => {
            let evidence = Evidence::read(request, signature, timestamp.as_ref(), now)?;
            let parts = signed::parts(parts, request, body, body_hash_query.as_deref())?;
            let urls = signed::urls(request, *url_ports);
            let stamp = evidence.stamp();
            let messages = urls.iter().map(|url| signed::message(&parts, request, body, stamp, url));
            let messages = messages.collect::<Checked<Vec<_>>>()?;
            let signatures = &evidence.signatures;
            let verifies = |key: &[u8]| messages.iter().any(|message| message.has_mac(*algorithm, key, signatures));
            evidence.proof(find(keys, key, verifies), body, now)
        }
        VerificationMethod::Signature { algorithm, signature, signed: parts, timestamp, key } => {
            let evidence = Evidence::read(request, signature, timestamp.as_ref(), now)?;
            let message = signed::message(parts, request, body, evidence.stamp(), &signed::full_url(request))?.bytes();
            let verifies = |key: &[u8]| evidence.signatures.iter().any(|one| is_signed(*algorithm, key, &message, one));
            evidence.proof(find(keys, key, verifies), body, now)
        }
        VerificationMethod::StandardWebhooks { tolerance_seconds } => standard(request, keys, now, *tolerance_seconds),
        VerificationMethod::Token { place, prefix } => {
            let token = token(place, prefix, request, body)?;
            by(keys.secrets.iter().position(|secret| same(secret, token.as_bytes())))
        }
        VerificationMethod::Basic => {
            let header = required(request, "authorization")?;
            let pair = header.strip_prefix("Basic ").and_then(encoding::base64);
            let pair = pair.ok_or(RefusalReason::MalformedSignature)?;
            by(keys.secrets.iter().position(|secret| same(secret, &pair)))
        }
        VerificationMethod::Jwt { .. } => by(jwt::verify(method, request, keys, now)?),
        VerificationMethod::Code | VerificationMethod::None => Err(RefusalReason::Unsupported),
    }
}

/// What a request brings to prove where it comes from.
struct Evidence<'r, 'm> {
    signatures: Vec<Vec<u8>>,
    /// The time of sending beside the body, as it was written.
    outside: Option<&'r str>,
    timestamp: Option<&'m Timestamp>,
}

impl<'r, 'm> Evidence<'r, 'm> {
    /// Reads it. A time beside the body is looked at here, before anything costs more; one inside it only by
    /// [`proof`](Self::proof), after the signature.
    fn read(
        request: &InboundRequest<'r>,
        place: &SignaturePlace,
        timestamp: Option<&'m Timestamp>,
        now: Time,
    ) -> Checked<Self> {
        let (signatures, listed) = signatures(request, place)?;
        let timestamp = timestamp.filter(|timestamp| timestamp.signed);
        let outside = match timestamp.map(|timestamp| &timestamp.place) {
            Some(TimestampPlace::Header(name)) => Some(required_of(request, name, RefusalReason::MalformedRequest)?),
            Some(TimestampPlace::List) => Some(listed.ok_or(RefusalReason::MalformedRequest)?),
            Some(TimestampPlace::Pointer(_)) | None => None,
        };
        if let (Some(timestamp), Some(text)) = (timestamp, outside) {
            check_time(text, timestamp.unit, timestamp.tolerance_seconds, now)?;
        }
        Ok(Self { signatures, outside, timestamp })
    }

    fn stamp(&self) -> &'r str {
        self.outside.unwrap_or_default()
    }

    fn proof(&self, by: Option<usize>, body: &Body<'_>, now: Time) -> Checked<Proof> {
        let by = by.ok_or(RefusalReason::Mismatch)?;
        let Some(Timestamp { place: TimestampPlace::Pointer(pointer), unit, tolerance_seconds, .. }) = self.timestamp
        else {
            return Ok(Proof { by, stamp: self.outside.map(str::to_owned) });
        };
        let text = body.text_at(pointer).ok_or(RefusalReason::MalformedRequest)?;
        check_time(&text, *unit, *tolerance_seconds, now)?;
        Ok(Proof { by, stamp: Some(text) })
    }
}

fn check_time(text: &str, unit: StampUnit, tolerance: u32, now: Time) -> Checked<()> {
    let sent = encoding::stamp(text, unit).ok_or(RefusalReason::MalformedRequest)?;
    if encoding::is_fresh(sent, now, tolerance) { Ok(()) } else { Err(RefusalReason::Stale) }
}

/// Standard Webhooks, under the names of the specification, or under Svix's where none of those is there.
fn standard(request: &InboundRequest<'_>, keys: &ChannelKeys<'_>, now: Time, tolerance: u32) -> Checked<Proof> {
    const NAMES: [&str; 3] = ["webhook-signature", "webhook-id", "webhook-timestamp"];
    const SVIX: [&str; 3] = ["svix-signature", "svix-id", "svix-timestamp"];
    let specified = NAMES.iter().any(|name| request.headers.contains(name));
    let [signature, id, time] = if specified { NAMES } else { SVIX };
    let header = required(request, signature)?;
    let id = required_of(request, id, RefusalReason::MalformedRequest)?;
    let time = required_of(request, time, RefusalReason::MalformedRequest)?;
    check_time(time, StampUnit::Seconds, tolerance, now)?;
    let entries = header.split(' ').filter_map(|entry| entry.strip_prefix("v1,"));
    let signatures = decoded(entries.map(encoding::base64))?;
    let message = Message::of([id.as_bytes(), b".", time.as_bytes(), b".", request.body]);
    let verifies = |key: &[u8]| message.has_mac(HashAlgorithm::Sha256, key, &signatures);
    let by = find(keys, &standard_key(), verifies).ok_or(RefusalReason::Mismatch)?;
    Ok(Proof { by, stamp: Some(time.to_owned()) })
}

/// What a secret of Standard Webhooks is made of.
pub(super) fn standard_key() -> Key {
    Key { encoding: KeyEncoding::Base64, prefix: "whsec_".to_owned() }
}

/// The first secret whose key makes this true. One that is no such key makes nothing true.
pub(super) fn find(keys: &ChannelKeys<'_>, form: &Key, verifies: impl Fn(&[u8]) -> bool) -> Option<usize> {
    keys.secrets.iter().position(|secret| encoding::key(secret, form).is_some_and(|key| verifies(&key)))
}

/// The signatures of a request, and the time that stands beside them in a list.
fn signatures<'r>(request: &InboundRequest<'r>, place: &SignaturePlace) -> Checked<(Vec<Vec<u8>>, Option<&'r str>)> {
    let mut texts = Vec::new();
    let mut time = None;
    let mut missing = true;
    for name in &place.headers {
        let Some(header) = optional(request, name)? else { continue };
        missing = false;
        let Some(list) = &place.list else {
            texts.push(header);
            continue;
        };
        for (name, value) in
            header.split(list.separator.as_str()).filter_map(|entry| entry.trim_ascii().split_once('='))
        {
            if name == list.signature {
                texts.push(value);
            } else if list.timestamp.as_deref() == Some(name) && time.replace(value).is_some() {
                return Err(RefusalReason::MalformedSignature);
            }
        }
    }
    if missing {
        return Err(RefusalReason::MissingSignature);
    }
    let plain = |text: &&'r str| text.strip_prefix(place.prefix.as_str()).filter(|text| !text.is_empty());
    let candidates = texts.iter().map(|text| encoding::signature(plain(text)?, place.encoding));
    Ok((decoded(candidates)?, time))
}

/// What could be read of the signatures, unless it is none or too many.
fn decoded(candidates: impl Iterator<Item = Option<Vec<u8>>>) -> Checked<Vec<Vec<u8>>> {
    let mut decoded = Vec::new();
    for (count, candidate) in candidates.enumerate() {
        if count == MAX_SIGNATURES {
            return Err(RefusalReason::MalformedSignature);
        }
        decoded.extend(candidate);
    }
    if decoded.is_empty() { Err(RefusalReason::MalformedSignature) } else { Ok(decoded) }
}

fn token(place: &TokenPlace, prefix: &str, request: &InboundRequest<'_>, body: &Body<'_>) -> Checked<String> {
    let text = match place {
        TokenPlace::Header(name) => required(request, name)?.to_owned(),
        TokenPlace::Pointer(pointer) => body.text_at(pointer).ok_or(RefusalReason::MissingSignature)?,
    };
    let token = text.strip_prefix(prefix).ok_or(RefusalReason::MalformedSignature)?;
    if token.is_empty() { Err(RefusalReason::MissingSignature) } else { Ok(token.to_owned()) }
}

fn is_signed(algorithm: SignatureAlgorithm, key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    use ring::signature::{ECDSA_P256_SHA256_ASN1, ED25519, UnparsedPublicKey};
    match algorithm {
        SignatureAlgorithm::Ed25519 => UnparsedPublicKey::new(&ED25519, key).verify(message, signature).is_ok(),
        SignatureAlgorithm::EcdsaP256 => point(key).is_some_and(|point| {
            UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point).verify(message, signature).is_ok()
        }),
    }
}

/// The point in a `SubjectPublicKeyInfo` of P-256 (RFC 5480): all that varies in it.
pub(super) fn point(key: &[u8]) -> Option<&[u8]> {
    const HEAD: [u8; 26] = [
        0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
        0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
    ];
    key.strip_prefix(&HEAD).filter(|point| point.len() == 65)
}

/// Whether a text is the secret, in a time that tells nothing of either, their lengths included.
pub(super) fn same(secret: &Secret, text: &[u8]) -> bool {
    !secret.is_empty() && sha256(secret.expose().as_bytes()).ct_eq(&sha256(text)).into()
}

/// The one value of a header that must be there.
pub(super) fn required<'r>(request: &InboundRequest<'r>, name: &str) -> Checked<&'r str> {
    required_of(request, name, RefusalReason::MissingSignature)
}

fn required_of<'r>(request: &InboundRequest<'r>, name: &str, missing: RefusalReason) -> Checked<&'r str> {
    optional(request, name)?.ok_or(missing)
}

/// The one value of a header that may be there; an empty one is as good as none.
pub(super) fn optional<'r>(request: &InboundRequest<'r>, name: &str) -> Checked<Option<&'r str>> {
    let mut values = request.headers.all(name);
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(RefusalReason::DoubledHeader);
    }
    if value.len() > MAX_HEADER {
        return Err(RefusalReason::OversizedHeader);
    }
    let text = std::str::from_utf8(value).ok().filter(|text| text.is_ascii());
    text.map(|text| Some(text).filter(|text| !text.is_empty())).ok_or(RefusalReason::MalformedSignature)
}
