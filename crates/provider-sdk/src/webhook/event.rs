//! What is kept of an event besides its bytes.

use super::body::Body;
use super::verify::Proof;
use super::{Handshake, InboundHeaders, TokenPlace, VerificationMethod, WebhookScheme};
use crate::signature::sha256;

/// The longest text of a label and of an ordering key, in bytes.
const MAX_LABEL: usize = 255;
/// What stands in place of a secret.
const MASK: &str = "***";

/// The parts as one text for people, cut and cleaned.
pub(super) fn label(parts: &[String]) -> Option<String> {
    let text: String = parts.join(":").chars().filter(|character| !character.is_control()).collect();
    let cut = text.get(..text.floor_char_boundary(MAX_LABEL)).unwrap_or_default();
    (!cut.is_empty()).then(|| cut.to_owned())
}

/// An ordering key; a longer one is as good as its digest.
pub(super) fn lane(key: String) -> String {
    let fits = key.len() <= MAX_LABEL && !key.contains('\0');
    if fits { key } else { hex::encode(sha256(key.as_bytes())) }
}

/// What an event has in common with its repetition: an id that is signed; an id that is not, with the body; the signed
/// time of sending, with the body. Nothing, if there is none of these.
pub(super) fn dedupe_key(id: Option<&(Vec<String>, bool)>, proof: &Proof, body: &[u8]) -> Option<[u8; 32]> {
    let body = || sha256(body).to_vec();
    let parts = |parts: &[String]| parts.iter().map(|part| part.clone().into_bytes()).collect::<Vec<_>>();
    let (kind, mut pieces) = match (id, &proof.stamp) {
        (Some((id, true)), _) => (b"signed id".to_vec(), parts(id)),
        (Some((id, false)), _) => (b"id and body".to_vec(), [parts(id), vec![body()]].concat()),
        (None, Some(stamp)) => (b"time and body".to_vec(), vec![stamp.clone().into_bytes(), body()]),
        (None, None) => return None,
    };
    pieces.insert(0, kind);
    let mut message = Vec::new();
    for piece in pieces {
        message.extend(u64::try_from(piece.len()).unwrap_or(u64::MAX).to_be_bytes());
        message.extend(piece);
    }
    Some(sha256(&message))
}

/// The body without the token that verifies it, if it holds one: the same bytes but for the token's, wherever they
/// stand.
pub(super) fn without_token(scheme: &WebhookScheme, body: &Body<'_>) -> Option<Vec<u8>> {
    let pointer = scheme.verify.iter().find_map(|way| match &way.method {
        VerificationMethod::Token { place: TokenPlace::Pointer(pointer), .. } => Some(pointer),
        _ => None,
    })?;
    let token = body.text_at(pointer).filter(|token| !token.is_empty())?;
    let text = std::str::from_utf8(body.bytes()).ok()?;
    let written = serde_json::Value::String(token.clone()).to_string();
    let replaced = text.replace(&written, "\"***\"").into_bytes();
    let is_gone = super::json::at(std::str::from_utf8(&replaced).ok()?, pointer).and_then(super::json::Found::text);
    if is_gone.as_deref() == Some(MASK) {
        return Some(replaced);
    }
    // Written with escapes of its own, or a number: then the document is written anew.
    let mut document: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
    if let Some(place) = document.pointer_mut(pointer) {
        *place = MASK.into();
    }
    Some(document.to_string().into_bytes())
}

impl WebhookScheme {
    /// The headers to store, in order, names in lower case: cookies are gone, and so is `Authorization` unless it
    /// carries a signature; what holds a secret of this scheme reads `***`.
    pub fn masked_headers(&self, headers: &InboundHeaders<'_>) -> Vec<(String, Vec<u8>)> {
        let fates = headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value));
        fates
            .filter_map(|(name, value)| match self.fate(&name) {
                Fate::Kept => Some((name, value.to_vec())),
                Fate::Masked => Some((name, MASK.into())),
                Fate::Gone => None,
            })
            .collect()
    }

    fn fate(&self, name: &str) -> Fate {
        let holds = |way: &VerificationMethod| way.headers().contains(&name);
        let mut holders = self.verify.iter().map(|way| &way.method).filter(|way| holds(way)).peekable();
        let brings_secret = self.handshakes.iter().any(|handshake| match handshake {
            Handshake::SecretInHeader { header } => header == name,
            _ => false,
        });
        match (holders.peek().is_some(), name) {
            _ if brings_secret => Fate::Masked,
            (true, _) if holders.all(VerificationMethod::can_reverify) => Fate::Kept,
            (true, _) => Fate::Masked,
            (false, "authorization" | "proxy-authorization" | "cookie") => Fate::Gone,
            (false, _) => Fate::Kept,
        }
    }
}

enum Fate {
    Kept,
    Masked,
    Gone,
}
