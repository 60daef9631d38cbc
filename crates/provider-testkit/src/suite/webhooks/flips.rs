//! One bit changed.

use nora_provider_sdk::webhook::{SignedPart, TimestampPlace, TokenPlace, VerificationMethod};
use url::form_urlencoded;

use super::super::Finding;
use super::Signed;
use super::forgery::Forgery;

/// The most bytes of a header and of a body that are changed, spread over it; each in all of its bits.
const MOST_OF_A_HEADER: usize = 128;
const MOST_OF_A_BODY: usize = 64;

/// Changes every bit of the signature, of what else is signed, and of the body as far as the scheme covers it.
pub(super) fn check(signed: &Signed<'_>) -> Finding {
    let mut tried = signed.signature_headers().is_empty();
    for name in headers(signed) {
        let Some(value) = signed.vector.headers.iter().find(|(known, _)| *known == name) else { continue };
        let alone = |value: Vec<u8>| {
            let mut forgery = alone(signed, &name);
            forgery.set(&name, &value);
            forgery
        };
        if signed.refusal(&alone(value.1.clone().into_bytes())).is_some() {
            continue;
        }
        tried |= signed.signature_headers().contains(&name.as_str());
        for (at, changed) in flips(value.1.as_bytes(), MOST_OF_A_HEADER) {
            signed.demand_refusal(&alone(changed), &format!("{name} with bit {at} changed"))?;
        }
    }
    if !tried {
        return Err(format!("{:?}: none of its signatures was taken", signed.vector.name));
    }
    for (at, body) in flips(&signed.vector.body, MOST_OF_A_BODY) {
        if covers_body(signed, &body) {
            let forgery = Forgery { body, ..signed.original() };
            signed.demand_refusal(&forgery, &format!("a body with bit {at} changed"))?;
        }
    }
    if parts(signed).contains(&SignedPart::Url) {
        return check_url(signed);
    }
    Ok(())
}

/// The headers that hold the signature or are signed.
fn headers(signed: &Signed<'_>) -> Vec<String> {
    let mut names: Vec<String> = signed.way.method.headers().into_iter().map(str::to_owned).collect();
    match &signed.way.method {
        VerificationMethod::Hmac { timestamp: Some(timestamp), .. }
        | VerificationMethod::Signature { timestamp: Some(timestamp), .. }
            if timestamp.signed =>
        {
            if let TimestampPlace::Header(name) = &timestamp.place {
                names.push(name.clone());
            }
        }
        VerificationMethod::StandardWebhooks { .. } => {
            names.extend(["webhook-id", "webhook-timestamp", "svix-id", "svix-timestamp"].map(str::to_owned));
        }
        _ => {}
    }
    names.extend(parts(signed).iter().filter_map(|part| match part {
        SignedPart::Header(name) => Some(name.clone()),
        _ => None,
    }));
    names
}

/// The request with this signature alone, where several headers may hold one and any is enough.
fn alone(signed: &Signed<'_>, name: &str) -> Forgery {
    let mut forgery = signed.original();
    let signatures = signed.way.method.headers();
    if signatures.contains(&name) {
        forgery.headers.retain(|(known, _)| known == name || !signatures.contains(&known.as_str()));
    }
    forgery
}

fn parts<'a>(signed: &'a Signed<'_>) -> &'a [SignedPart] {
    match &signed.way.method {
        VerificationMethod::Hmac { signed, .. } | VerificationMethod::Signature { signed, .. } => signed,
        _ => &[],
    }
}

/// Whether the scheme covers what makes a body another one: its bytes; the digest in a query or a JWT; the parameters of
/// a form, however they are escaped; the token it holds. A token beside the body covers nothing of it.
fn covers_body(signed: &Signed<'_>, changed: &[u8]) -> bool {
    let (parts, original) = (parts(signed), &signed.vector.body);
    match &signed.way.method {
        VerificationMethod::StandardWebhooks { .. } => true,
        VerificationMethod::Jwt { body_hash_claim, .. } => body_hash_claim.is_some(),
        VerificationMethod::Token { place: TokenPlace::Pointer(pointer), .. } => {
            let token = |body: &[u8]| {
                let document: Option<serde_json::Value> = serde_json::from_slice(body).ok();
                document.and_then(|document| document.pointer(pointer).cloned())
            };
            token(original) != token(changed)
        }
        VerificationMethod::Hmac { body_hash_query: Some(name), .. } if signed.vector.query.contains(name) => true,
        _ if parts.contains(&SignedPart::Body) => true,
        _ if parts.contains(&SignedPart::FormSorted) => run_together(original) != run_together(changed),
        _ => parts.iter().any(|part| match part {
            SignedPart::FormField(name) => field(original, name) != field(changed, name),
            _ => false,
        }),
    }
}

/// Every parameter of a form, sorted, names and values run together.
fn run_together(body: &[u8]) -> String {
    let mut pairs: Vec<_> = form_urlencoded::parse(body).collect();
    pairs.sort();
    pairs.dedup();
    pairs.iter().flat_map(|(name, value)| [name.as_ref(), value.as_ref()]).collect()
}

fn field(body: &[u8], name: &str) -> Vec<String> {
    let pairs = form_urlencoded::parse(body).filter(|(known, _)| known == name);
    pairs.map(|(_, value)| value.into_owned()).collect()
}

/// The URL and its query, as far as what is left of them is text.
fn check_url(signed: &Signed<'_>) -> Finding {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).ok();
    for (at, url) in flips(signed.vector.url.as_bytes(), MOST_OF_A_HEADER) {
        if let Some(url) = text(url) {
            let forgery = Forgery { url, ..signed.original() };
            signed.demand_refusal(&forgery, &format!("a URL with bit {at} changed"))?;
        }
    }
    for (at, query) in flips(signed.vector.query.as_bytes(), MOST_OF_A_HEADER) {
        if let Some(query) = text(query) {
            let forgery = Forgery { query, ..signed.original() };
            signed.demand_refusal(&forgery, &format!("a query with bit {at} changed"))?;
        }
    }
    Ok(())
}

/// Copies with one bit changed each, and which.
fn flips(bytes: &[u8], most: usize) -> impl Iterator<Item = (usize, Vec<u8>)> {
    let stride = bytes.len().div_ceil(most).max(1);
    (0..bytes.len()).step_by(stride).flat_map(move |byte| {
        (0..8).map(move |bit| {
            let mut changed = bytes.to_vec();
            if let Some(place) = changed.get_mut(byte) {
                *place ^= 1 << bit;
            }
            (byte * 8 + bit, changed)
        })
    })
}
