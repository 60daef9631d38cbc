//! From the manifest file to a webhook scheme.

use super::load_handshake::load_handshake;
use super::load_vectors::load_vector;
use super::{
    Audience, BodyForm, DEFAULT_MAX_BODY, DeliveryId, HashAlgorithm, JwtAlgorithm, Key, KeyEncoding, Locator, Place,
    SignatureAlgorithm, SignatureList, SignaturePlace, SignedPart, Timestamp, TimestampPlace, TokenPlace, Verification,
    VerificationMethod, WebhookScheme,
};
use crate::manifest::compile_pattern;
use crate::manifest::error::{Checked, Problem};
use crate::manifest::format::{LocatorEntry, SchemeName, Text, TimestampEntry, VerifyBlock, WebhookBlock};
use crate::probe::{parse_header_name, parse_pointer};

const DEFAULT_TOLERANCE: u32 = 300;

pub(super) type Span = std::ops::Range<usize>;

/// Loads a webhook scheme.
pub(crate) fn load(block: &WebhookBlock, span: &Span) -> Checked<WebhookScheme> {
    let verify = block.verify.iter().map(|entry| load_verification(entry, span)).collect::<Checked<Vec<_>>>()?;
    check_order(&verify, span)?;
    let delivery_id = block.delivery_id.as_ref().map(|entry| load_delivery_id(entry, &verify, span));
    let handshakes = block.handshakes.iter().map(|entry| load_handshake(entry, span)).collect::<Checked<_>>()?;
    Ok(WebhookScheme {
        delivery_id: delivery_id.transpose()?,
        event_type: block.event_type.as_ref().map(|entry| load_locator(entry, span)).transpose()?,
        ordering_key: block.ordering_key.as_ref().map(parse_pointer).transpose()?,
        content: block.content.as_ref().map(|entry| load_locator(entry, span)).transpose()?,
        sender: block.sender.as_ref().map(|entry| load_locator(entry, span)).transpose()?,
        bodies: if block.bodies.is_empty() { vec![BodyForm::Json] } else { block.bodies.clone() },
        undeclared_forms: block.bodies.contains(&BodyForm::Form),
        empty_body: block.empty_body,
        max_body: block.max_body.unwrap_or(DEFAULT_MAX_BODY),
        min_secret_bytes: 0,
        accept_status: block.accept_status.map_or(200, |status| status.0),
        reject_status: block.reject_status.map_or(400, |status| status.0),
        reply_within_seconds: block.reply_within_seconds,
        handshakes,
        vectors: block.vectors.iter().map(load_vector).collect::<Checked<_>>()?,
        notes: block.notes.clone(),
        verify,
    })
}

/// Several ways are told apart by their headers, so only the last may be one that no header tells.
fn check_order(verify: &[Verification], span: &Span) -> Checked<()> {
    let Some((_, others)) = verify.split_last() else {
        return Err(Problem::new(span.clone(), "`[webhook]` has at least one `[webhook.verify]`"));
    };
    if others.iter().any(|verification| verification.method.headers().is_empty()) {
        return Err(Problem::new(
            span.clone(),
            "a `[[webhook.verify]]` that no header tells from the others is the last",
        ));
    }
    Ok(())
}

fn load_verification(entry: &VerifyBlock, span: &Span) -> Checked<Verification> {
    refuse_foreign_keys(entry, span)?;
    let method = match entry.scheme {
        SchemeName::Hmac => hmac(entry, span)?,
        SchemeName::Ed25519 | SchemeName::EcdsaP256 => signature(entry, span)?,
        SchemeName::StandardWebhooks => {
            VerificationMethod::StandardWebhooks { tolerance_seconds: tolerance(entry.timestamp.as_ref()) }
        }
        SchemeName::Token => VerificationMethod::Token { place: token_place(entry, span)?, prefix: prefix(entry) },
        SchemeName::Jwt => jwt(entry, span)?,
        SchemeName::Basic => VerificationMethod::Basic,
        SchemeName::Code => VerificationMethod::Code,
        SchemeName::None => VerificationMethod::None,
    };
    let secret_hint = entry.secret_hint.as_ref().map(|hint| compile_pattern(hint).map(|_| hint.get_ref().clone()));
    Ok(Verification { method, secret_title: entry.secret_title.clone(), secret_hint: secret_hint.transpose()? })
}

/// A key that a scheme does not read would be believed to do something.
fn refuse_foreign_keys(entry: &VerifyBlock, span: &Span) -> Checked<()> {
    use SchemeName as Scheme;
    let signs = matches!(entry.scheme, Scheme::Hmac | Scheme::Ed25519 | Scheme::EcdsaP256);
    let with_header = signs || matches!(entry.scheme, Scheme::Token | Scheme::Jwt);
    let jwt = entry.scheme == Scheme::Jwt;
    let given_and_read = [
        ("header", !entry.header.is_empty(), with_header),
        ("pointer", entry.pointer.is_some(), entry.scheme == Scheme::Token),
        ("algorithm", entry.algorithm.is_some(), entry.scheme == Scheme::Hmac || jwt),
        ("encoding", entry.encoding.is_some(), signs),
        ("prefix", entry.prefix.is_some(), with_header),
        ("list", entry.list.is_some(), entry.scheme == Scheme::Hmac),
        ("signed", entry.signed.is_some(), signs),
        ("timestamp", entry.timestamp.is_some(), signs || entry.scheme == Scheme::StandardWebhooks),
        ("key", entry.key.is_some(), signs),
        ("key_prefix", entry.key_prefix.is_some(), signs),
        ("url_ports", entry.url_ports, entry.scheme == Scheme::Hmac),
        ("body_hash_query", entry.body_hash_query.is_some(), entry.scheme == Scheme::Hmac),
        ("jwks_url", entry.jwks_url.is_some(), jwt),
        ("issuer", entry.issuer.is_some(), jwt),
        ("audience", entry.audience.is_some(), jwt),
        ("body_hash_claim", entry.body_hash_claim.is_some(), jwt),
    ];
    match given_and_read.iter().find(|(_, given, read)| *given && !read) {
        Some((key, ..)) => Err(Problem::new(span.clone(), format!("`{key}` says nothing to this webhook scheme"))),
        None => Ok(()),
    }
}

fn hmac(entry: &VerifyBlock, span: &Span) -> Checked<VerificationMethod> {
    let algorithm = match entry.algorithm.as_ref().map(|text| (text, text.get_ref().as_str())) {
        None => return Err(Problem::new(span.clone(), "an `hmac` names its `algorithm`: sha1, sha256 or sha512")),
        Some((_, "sha1")) => HashAlgorithm::Sha1,
        Some((_, "sha256")) => HashAlgorithm::Sha256,
        Some((_, "sha512")) => HashAlgorithm::Sha512,
        Some((text, _)) => return Err(Problem::with(text, "the algorithms are sha1, sha256 and sha512")),
    };
    let signed = signed_parts(entry)?;
    Ok(VerificationMethod::Hmac {
        algorithm,
        signature: signature_place(entry, span)?,
        timestamp: timestamp(entry, &signed, span)?,
        signed,
        key: key(entry, KeyEncoding::Utf8),
        url_ports: entry.url_ports,
        body_hash_query: entry.body_hash_query.clone(),
    })
}

fn signature(entry: &VerifyBlock, span: &Span) -> Checked<VerificationMethod> {
    let (algorithm, encoding) = match entry.scheme {
        SchemeName::EcdsaP256 => (SignatureAlgorithm::EcdsaP256, KeyEncoding::Base64),
        _ => (SignatureAlgorithm::Ed25519, KeyEncoding::Hex),
    };
    let signed = signed_parts(entry)?;
    Ok(VerificationMethod::Signature {
        algorithm,
        signature: signature_place(entry, span)?,
        timestamp: timestamp(entry, &signed, span)?,
        signed,
        key: key(entry, encoding),
    })
}

fn jwt(entry: &VerifyBlock, span: &Span) -> Checked<VerificationMethod> {
    let algorithm = match entry.algorithm.as_ref().map(|text| text.get_ref().as_str()) {
        Some("HS256") => JwtAlgorithm::Hs256,
        Some("RS256") => JwtAlgorithm::Rs256,
        Some("EdDSA") => JwtAlgorithm::EdDsa,
        _ => return Err(Problem::new(span.clone(), "a `jwt` names its `algorithm`: HS256, RS256 or EdDSA")),
    };
    if (algorithm == JwtAlgorithm::Hs256) == entry.jwks_url.is_some() {
        return Err(Problem::new(span.clone(), "HS256 has a shared secret; RS256 and EdDSA have a `jwks_url`"));
    }
    let jwks_url = entry.jwks_url.as_ref().map(crate::manifest::https_url).transpose()?;
    let audience = entry.audience.as_ref().map(|audience| match audience.as_str() {
        "{url}" => Audience::ChannelUrl,
        text => Audience::Text(text.to_owned()),
    });
    Ok(VerificationMethod::Jwt {
        algorithm,
        header: one_header(entry, span)?,
        prefix: prefix(entry),
        jwks_url,
        issuer: entry.issuer.clone(),
        audience,
        body_hash_claim: entry.body_hash_claim.clone(),
    })
}

fn token_place(entry: &VerifyBlock, span: &Span) -> Checked<TokenPlace> {
    match (&entry.pointer, entry.header.is_empty()) {
        (Some(pointer), true) => Ok(TokenPlace::Pointer(parse_pointer(pointer)?)),
        (None, false) => Ok(TokenPlace::Header(one_header(entry, span)?)),
        _ => Err(Problem::new(span.clone(), "a `token` is in exactly one of `header` and `pointer`")),
    }
}

fn one_header(entry: &VerifyBlock, span: &Span) -> Checked<String> {
    match entry.header.as_slice() {
        [header] => Ok(parse_header_name(header)?.to_ascii_lowercase()),
        _ => Err(Problem::new(span.clone(), "this scheme has exactly one `header`")),
    }
}

fn prefix(entry: &VerifyBlock) -> String {
    entry.prefix.clone().unwrap_or_default()
}

fn key(entry: &VerifyBlock, usual: KeyEncoding) -> Key {
    Key { encoding: entry.key.unwrap_or(usual), prefix: entry.key_prefix.clone().unwrap_or_default() }
}

fn signature_place(entry: &VerifyBlock, span: &Span) -> Checked<SignaturePlace> {
    if entry.header.is_empty() {
        return Err(Problem::new(span.clone(), "say in `header` where the signature is"));
    }
    let headers = entry.header.iter().map(|header| Ok(parse_header_name(header)?.to_ascii_lowercase()));
    let list = entry.list.as_ref().map(|list| SignatureList {
        separator: list.separator.clone().unwrap_or_else(|| ",".to_owned()),
        signature: list.signature.clone(),
        timestamp: list.timestamp.clone(),
    });
    Ok(SignaturePlace {
        headers: headers.collect::<Checked<_>>()?,
        prefix: prefix(entry),
        encoding: entry.encoding.unwrap_or_default(),
        list,
    })
}

fn signed_parts(entry: &VerifyBlock) -> Checked<Vec<SignedPart>> {
    let Some(text) = &entry.signed else { return Ok(vec![SignedPart::Body]) };
    let mut parts = Vec::new();
    let mut rest = text.get_ref().as_str();
    while let Some((before, from)) = rest.split_once('{') {
        if !before.is_empty() {
            parts.push(SignedPart::Text(before.to_owned()));
        }
        let (inside, after) = from.split_once('}').ok_or_else(|| Problem::with(text, "a brace is not closed"))?;
        parts.push(signed_part(inside).ok_or_else(|| {
            let known = "{body}, {timestamp}, {url}, {method}, {header:NAME}, {form_field:NAME} and {form_sorted}";
            Problem::with(text, format!("what is signed is made of text, {known}"))
        })?);
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(SignedPart::Text(rest.to_owned()));
    }
    Ok(parts)
}

fn signed_part(inside: &str) -> Option<SignedPart> {
    Some(match inside.split_once(':') {
        Some(("header", name)) => SignedPart::Header(name.to_ascii_lowercase()),
        Some(("form_field", name)) => SignedPart::FormField(name.to_owned()),
        Some(_) => return None,
        None => match inside {
            "body" => SignedPart::Body,
            "timestamp" => SignedPart::Timestamp,
            "url" => SignedPart::Url,
            "method" => SignedPart::Method,
            "form_sorted" => SignedPart::FormSorted,
            _ => return None,
        },
    })
}

fn tolerance(entry: Option<&TimestampEntry>) -> u32 {
    entry.and_then(|entry| entry.tolerance_seconds).unwrap_or(DEFAULT_TOLERANCE)
}

fn timestamp(entry: &VerifyBlock, signed: &[SignedPart], span: &Span) -> Checked<Option<Timestamp>> {
    let in_list = entry.list.as_ref().is_some_and(|list| list.timestamp.is_some());
    let stamp = entry.timestamp.as_ref();
    let place = match (
        in_list,
        stamp.and_then(|stamp| stamp.header.as_ref()),
        stamp.and_then(|stamp| stamp.pointer.as_ref()),
    ) {
        (true, None, None) => TimestampPlace::List,
        (false, Some(header), None) => TimestampPlace::Header(parse_header_name(header)?.to_ascii_lowercase()),
        (false, None, Some(pointer)) => TimestampPlace::Pointer(parse_pointer(pointer)?),
        (false, None, None) if stamp.is_none() && !signed.contains(&SignedPart::Timestamp) => return Ok(None),
        _ => {
            let reason =
                "the time is in exactly one place: `list.timestamp`, `timestamp.header` or `timestamp.pointer`";
            return Err(Problem::new(span.clone(), reason));
        }
    };
    let covered = signed.contains(&SignedPart::Timestamp) || is_covered(&place, signed);
    Ok(Some(Timestamp {
        place,
        unit: stamp.and_then(|stamp| stamp.unit).unwrap_or_default(),
        tolerance_seconds: tolerance(stamp),
        signed: covered,
    }))
}

fn is_covered(place: &TimestampPlace, signed: &[SignedPart]) -> bool {
    match place {
        TimestampPlace::Header(name) => signed.contains(&SignedPart::Header(name.clone())),
        TimestampPlace::Pointer(_) => signed.contains(&SignedPart::Body),
        TimestampPlace::List => false,
    }
}

fn load_locator(entry: &LocatorEntry, span: &Span) -> Checked<Locator> {
    let header = |name: &Text| Ok(Place::Header(parse_header_name(name)?.to_ascii_lowercase()));
    let mut places = entry.header.iter().map(header).collect::<Checked<Vec<_>>>()?;
    for pointer in &entry.pointer {
        places.push(Place::Pointer(parse_pointer(pointer)?));
    }
    places.extend(entry.form_field.iter().map(|name| Place::FormField(name.get_ref().clone())));
    if places.is_empty() {
        return Err(Problem::new(span.clone(), "a place in a webhook is a `header`, a `pointer` or a `form_field`"));
    }
    Ok(Locator { places, first_of: entry.first_of })
}

/// An id counts as covered only if every way to verify covers it.
fn load_delivery_id(entry: &LocatorEntry, verify: &[Verification], span: &Span) -> Checked<DeliveryId> {
    let locator = load_locator(entry, span)?;
    let signed =
        verify.iter().all(|verification| locator.places.iter().all(|place| covers(&verification.method, place)));
    Ok(DeliveryId { locator, signed })
}

fn covers(method: &VerificationMethod, place: &Place) -> bool {
    match (method, place) {
        (VerificationMethod::Hmac { signed, .. } | VerificationMethod::Signature { signed, .. }, place) => {
            match place {
                Place::Header(name) => signed.contains(&SignedPart::Header(name.clone())),
                Place::Pointer(_) => signed.contains(&SignedPart::Body),
                Place::FormField(name) => {
                    signed.contains(&SignedPart::Body)
                        || signed.contains(&SignedPart::FormSorted)
                        || signed.contains(&SignedPart::FormField(name.clone()))
                }
            }
        }
        (VerificationMethod::StandardWebhooks { .. }, Place::Header(name)) => {
            matches!(name.as_str(), "webhook-id" | "webhook-timestamp" | "svix-id" | "svix-timestamp")
        }
        (VerificationMethod::StandardWebhooks { .. }, _) => true,
        (VerificationMethod::Jwt { body_hash_claim, .. }, place) => {
            body_hash_claim.is_some() && !matches!(place, Place::Header(_))
        }
        (
            VerificationMethod::Token { .. }
            | VerificationMethod::Basic
            | VerificationMethod::Code
            | VerificationMethod::None,
            _,
        ) => false,
    }
}
