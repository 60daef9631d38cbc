//! From `[[webhook.handshakes]]` to handshakes.

use super::load::Span;
use super::{Handshake, HandshakeMethod, Match, Place, ReplyForm, Wanted};
use crate::manifest::error::{Checked, Problem};
use crate::manifest::format::{HandshakeEntry, MatchEntry};
use crate::manifest::json_scalar;

pub(super) fn load_handshake(entry: &HandshakeEntry, span: &Span) -> Checked<Handshake> {
    let at = |reason: &str| Problem::new(span.clone(), reason);
    let member = |reply: &ReplyForm, member: &Option<String>| match (reply, member) {
        (ReplyForm::Text, None) => Ok(None),
        (ReplyForm::Json, Some(member)) => Ok(Some(member.clone())),
        _ => Err(at("a reply as `json` names its `member`, one as `text` has none")),
    };
    let matches = |when: &[MatchEntry]| match when {
        [] => Err(at("say in `when` what tells this handshake from an event")),
        when => when.iter().map(|entry| load_match(entry, span)).collect::<Checked<Vec<_>>>(),
    };
    Ok(match entry {
        HandshakeEntry::EchoJson { when, challenge, reply, member: name, signed } => Handshake::EchoJson {
            when: matches(when)?,
            challenge: challenge.clone(),
            member: member(reply, name)?,
            signed: *signed,
        },
        HandshakeEntry::EchoQuery { method, challenge, require, verify_token, reply, member: name } => {
            Handshake::EchoQuery {
                method: handshake_method(method).ok_or_else(|| at("the method is GET or POST"))?,
                challenge: challenge.clone(),
                require: require.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
                verify_token: verify_token.clone(),
                member: member(reply, name)?,
            }
        }
        HandshakeEntry::SignQuery { challenge, response, echo, encoding, prefix } => Handshake::SignQuery {
            challenge: challenge.clone(),
            response: response.clone(),
            echo: echo.clone(),
            encoding: *encoding,
            prefix: prefix.clone(),
        },
        HandshakeEntry::SignJson { when, challenge, response, echo } => Handshake::SignJson {
            when: matches(when)?,
            challenge: challenge.clone(),
            response: response.clone(),
            echo: echo.clone(),
        },
        HandshakeEntry::SecretInHeader { header } => Handshake::SecretInHeader { header: header.to_ascii_lowercase() },
        HandshakeEntry::SecretInBody { pointer } => Handshake::SecretInBody { pointer: pointer.clone() },
        HandshakeEntry::Ping { when, status, json } => Handshake::Ping {
            when: matches(when)?,
            status: status.0,
            json: json.as_deref().map(serde_json::from_str).transpose().map_err(|_| at("the answer is not JSON"))?,
        },
        HandshakeEntry::Probe { method } => match handshake_method(method) {
            Some(method @ (HandshakeMethod::Get | HandshakeMethod::Head)) => Handshake::Probe(method),
            _ => return Err(at("a probe is a GET or a HEAD")),
        },
        HandshakeEntry::UnsignedForm { form_field } => Handshake::UnsignedForm { form_field: form_field.clone() },
        HandshakeEntry::Code => Handshake::Code,
    })
}

pub(super) fn handshake_method(name: &str) -> Option<HandshakeMethod> {
    match name {
        "GET" => Some(HandshakeMethod::Get),
        "HEAD" => Some(HandshakeMethod::Head),
        "POST" => Some(HandshakeMethod::Post),
        _ => None,
    }
}

fn load_match(entry: &MatchEntry, span: &Span) -> Checked<Match> {
    let at = |reason: String| Problem::new(span.clone(), reason);
    let place = match (&entry.header, &entry.pointer) {
        (Some(header), None) => Place::Header(header.to_ascii_lowercase()),
        (None, Some(pointer)) => Place::Pointer(pointer.clone()),
        _ => return Err(at("a `when` of a handshake has exactly one of `header` and `pointer`".to_owned())),
    };
    let wanted = match (&entry.equals, entry.absent) {
        (Some(value), false) => Wanted::Equals(json_scalar(value).map_err(at)?),
        (None, false) => Wanted::Present,
        (None, true) => Wanted::Absent,
        (Some(_), true) => return Err(at("a `when` has `equals` or `absent`".to_owned())),
    };
    Ok(Match { place, wanted })
}
