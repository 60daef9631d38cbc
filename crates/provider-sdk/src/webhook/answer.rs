//! Answers to handshakes and pings.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use nora_kernel::Secret;
use ring::hmac;
use serde_json::{Map, Value};

use super::body::Body;
use super::form::Form;
use super::json::Found;
use super::verify::{Checked, optional, same};
use super::{
    ChannelKeys, Handshake, HandshakeMethod, InboundRequest, Match, Place, Received, RefusalReason, Reply,
    SignatureEncoding, Wanted, WebhookScheme,
};

/// The longest challenge that is sent back, in bytes.
const MAX_CHALLENGE: usize = 512;
/// The longest secret that is taken out of a handshake, in bytes.
const MAX_SECRET: usize = 4096;

/// The answer to a handshake that carries no signature, if the request is one.
pub(super) fn unsigned(
    scheme: &WebhookScheme,
    request: &InboundRequest<'_>,
    body: &Body<'_>,
    keys: &ChannelKeys<'_>,
) -> Checked<Option<Received>> {
    for handshake in &scheme.handshakes {
        let received = match request.method {
            HandshakeMethod::Post => unsigned_post(handshake, request, body, keys)?,
            HandshakeMethod::Get | HandshakeMethod::Head => None,
        };
        let received = match received {
            None => by_query(handshake, request, keys)?.map(Received::Answer),
            received => received,
        };
        if received.is_some() {
            return Ok(received);
        }
    }
    Ok(None)
}

fn unsigned_post(
    handshake: &Handshake,
    request: &InboundRequest<'_>,
    body: &Body<'_>,
    keys: &ChannelKeys<'_>,
) -> Checked<Option<Received>> {
    Ok(match handshake {
        Handshake::EchoJson { when, challenge, member, signed: false } if holds(when, body) => {
            let challenge = body.text_at(challenge).ok_or(RefusalReason::BadHandshake)?;
            Some(Received::Answer(echo(&challenge, member.as_deref())?))
        }
        Handshake::UnsignedForm { form_field } if is_lone_field(request, form_field) => {
            Some(Received::Answer(Reply::empty(200)))
        }
        Handshake::SecretInHeader { header } if keys.awaiting_handshake => match optional(request, header)? {
            Some(text) => {
                let secret = born(text.to_owned())?;
                let reply = Reply { header: Some((header.clone(), secret.duplicate())), ..Reply::empty(200) };
                Some(Received::Enrol { secret, reply })
            }
            None => None,
        },
        Handshake::SecretInBody { pointer } if keys.awaiting_handshake => match body.text_at(pointer) {
            Some(text) => Some(Received::Enrol { secret: born(text)?, reply: Reply::empty(200) }),
            None => None,
        },
        _ => None,
    })
}

/// A secret out of a handshake: text that can be one, and none that everybody knows.
fn born(text: String) -> Checked<Secret> {
    let fits = !text.is_empty() && text.len() <= MAX_SECRET && text.bytes().all(|byte| byte.is_ascii_graphic());
    let secret = Secret::new(text);
    let fits = fits && !super::secret::is_placeholder(&secret);
    if fits { Ok(secret) } else { Err(RefusalReason::BadHandshake) }
}

/// Whether a request is a form with this one field, a number, whatever the scheme's events are.
fn is_lone_field(request: &InboundRequest<'_>, field: &str) -> bool {
    let form = Form::parse(request.body);
    form.len() == 1
        && form.text(field).is_some_and(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()))
}

fn by_query(handshake: &Handshake, request: &InboundRequest<'_>, keys: &ChannelKeys<'_>) -> Checked<Option<Reply>> {
    let query = Form::parse(request.query.as_bytes());
    Ok(match handshake {
        Handshake::EchoQuery { method, challenge, require, verify_token, member } if *method == request.method => {
            if query.all(challenge).next().is_none() {
                return Ok(None);
            }
            let required = require.iter().all(|(name, value)| query.text(name) == Some(value));
            let known = verify_token.as_ref().is_none_or(|name| knows_token(query.one(name), keys));
            if !required || !known {
                return Err(RefusalReason::BadHandshake);
            }
            let challenge = query.text(challenge).ok_or(RefusalReason::BadHandshake)?;
            Some(echo(challenge, member.as_deref())?)
        }
        Handshake::SignQuery { challenge, response, echo, encoding, prefix }
            if request.method == HandshakeMethod::Get && query.all(challenge).next().is_some() =>
        {
            let challenge = query.text(challenge).ok_or(RefusalReason::BadHandshake)?;
            let mac = mac(keys, challenge)?;
            let written = match encoding {
                SignatureEncoding::Base64 => STANDARD.encode(mac),
                SignatureEncoding::Hex | SignatureEncoding::HexOrBase64 => hex::encode(mac),
            };
            Some(signed_challenge(challenge, response, echo.as_deref(), format!("{prefix}{written}")))
        }
        Handshake::Probe(HandshakeMethod::Get) if request.method == HandshakeMethod::Get => {
            request.query.is_empty().then_some(Reply::empty(200))
        }
        Handshake::Probe(method) if *method == request.method => Some(Reply::empty(200)),
        _ => None,
    })
}

/// A channel without verification and without a token answers whoever asks.
fn knows_token(given: Option<&[u8]>, keys: &ChannelKeys<'_>) -> bool {
    match (given, keys.verify_token) {
        (Some(given), Some(token)) => same(token, given),
        (_, None) => keys.unverified,
        (None, Some(_)) => false,
    }
}

/// The answer to a handshake or ping whose signature was verified, if the request is one.
pub(super) fn signed(scheme: &WebhookScheme, body: &Body<'_>, keys: &ChannelKeys<'_>) -> Checked<Option<Reply>> {
    for handshake in &scheme.handshakes {
        match handshake {
            Handshake::EchoJson { when, challenge, member, signed: true } if holds(when, body) => {
                let challenge = body.text_at(challenge).ok_or(RefusalReason::BadHandshake)?;
                return echo(&challenge, member.as_deref()).map(Some);
            }
            Handshake::SignJson { when, challenge, response, echo } if holds(when, body) => {
                let challenge = body.text_at(challenge).ok_or(RefusalReason::BadHandshake)?;
                let mac = hex::encode(mac(keys, &challenge)?);
                return Ok(Some(signed_challenge(&challenge, response, echo.as_deref(), mac)));
            }
            Handshake::Ping { when, status, json } if holds(when, body) => {
                return Ok(Some(json.as_ref().map_or(Reply::empty(*status), |json| Reply::json(*status, json))));
            }
            _ => {}
        }
    }
    Ok(None)
}

fn holds(when: &[Match], body: &Body<'_>) -> bool {
    when.iter().all(|check| {
        let found = match &check.place {
            Place::Pointer(pointer) => body.at(pointer),
            place => body.find(place).map(|text| Found::Scalar(text.into())),
        };
        match (&check.wanted, found) {
            (Wanted::Equals(wanted), Some(Found::Scalar(value))) => *wanted == value,
            (Wanted::Present, Some(_)) | (Wanted::Absent, None) => true,
            _ => false,
        }
    })
}

/// Sends a challenge back, as text or in a member.
fn echo(challenge: &str, member: Option<&str>) -> Checked<Reply> {
    let challenge = harmless(challenge)?;
    Ok(match member {
        None => Reply::text(challenge.to_owned()),
        Some(member) => Reply::json(200, &Value::Object(Map::from_iter([(member.to_owned(), challenge.into())]))),
    })
}

/// A challenge that no browser takes for a page and no signature covers as a body.
fn harmless(challenge: &str) -> Checked<&str> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._~-".contains(&byte);
    let fits = !challenge.is_empty() && challenge.len() <= MAX_CHALLENGE && challenge.bytes().all(plain);
    if fits { Ok(challenge) } else { Err(RefusalReason::BadHandshake) }
}

fn signed_challenge(challenge: &str, response: &str, echo: Option<&str>, mac: String) -> Reply {
    let members = std::iter::once((response.to_owned(), mac.into()));
    let echo = echo.map(|member| (member.to_owned(), challenge.into()));
    Reply::json(200, &Value::Object(members.chain(echo).collect()))
}

/// The HMAC-SHA256 of a challenge under the channel's newest secret.
fn mac(keys: &ChannelKeys<'_>, challenge: &str) -> Checked<hmac::Tag> {
    let secret = keys.secrets.first().ok_or(RefusalReason::NoKey)?;
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes());
    Ok(hmac::sign(&key, harmless(challenge)?.as_bytes()))
}
