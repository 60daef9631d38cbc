//! From `[[webhook.vectors]]` to vectors.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use nora_kernel::Timestamp;

use super::load_handshake::handshake_method;
use super::vector::{Expected, Vector};
use super::{HandshakeMethod, VECTOR_URL};
use crate::manifest::error::{Checked, Problem};
use crate::manifest::format::VectorEntry;

/// The beginning of 2026.
const USUAL_TIME: Timestamp = Timestamp::from_microseconds(1_767_225_600_000_000);

pub(super) fn load_vector(entry: &VectorEntry) -> Checked<Vector> {
    let at = |reason: &str| Problem::with(&entry.name, reason);
    let method = match entry.method.as_deref() {
        None => HandshakeMethod::Post,
        Some(name) => handshake_method(name).ok_or_else(|| at("the method is GET, HEAD or POST"))?,
    };
    let body = match (&entry.body, &entry.body_base64) {
        (text, None) => text.clone().unwrap_or_default().into_bytes(),
        (None, Some(text)) => STANDARD.decode(text.get_ref()).map_err(|_| Problem::with(text, "is no Base64"))?,
        (Some(_), Some(_)) => return Err(at("a vector has `body` or `body_base64`")),
    };
    let now = entry.now.as_ref().map(|text| {
        let time = text.get_ref().parse::<Timestamp>();
        time.map_err(|_| Problem::with(text, "is no RFC 3339 time"))
    });
    Ok(Vector {
        name: entry.name.get_ref().clone(),
        origin: entry.origin,
        method,
        url: entry.url.clone().unwrap_or_else(|| VECTOR_URL.to_owned()),
        query: entry.query.clone(),
        headers: entry.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone())).collect(),
        body,
        secret: entry.secret.clone(),
        verify_token: entry.verify_token.clone(),
        now: now.transpose()?.unwrap_or(USUAL_TIME),
        expected: expected(entry)?,
    })
}

fn expected(entry: &VectorEntry) -> Checked<Expected> {
    let event = Expected::Event {
        delivery_id: entry.delivery_id.clone(),
        event_type: entry.event_type.clone(),
        ordering_key: entry.ordering_key.clone(),
        content: entry.content.clone(),
        sender: entry.sender.clone(),
    };
    let reply = entry.reply.as_ref().map(|reply| Expected::Answer {
        status: reply.status.map_or(200, |status| status.0),
        body: reply.body.clone(),
    });
    let secret = entry.enrols.clone().map(Expected::Secret);
    let signature = entry.signature_only.then_some(Expected::Signature);
    let mut others = [reply, secret, signature].into_iter().flatten();
    match (others.next(), others.next()) {
        (None, _) => Ok(event),
        (Some(other), None) if is_bare(&event) => Ok(other),
        _ => Err(Problem::with(
            &entry.name,
            "what a vector comes to is one thing: an event, a reply, a secret or a signature",
        )),
    }
}

/// Whether nothing is said of an event.
fn is_bare(event: &Expected) -> bool {
    let nothing =
        Expected::Event { delivery_id: None, event_type: None, ordering_key: None, content: None, sender: None };
    *event == nothing
}
