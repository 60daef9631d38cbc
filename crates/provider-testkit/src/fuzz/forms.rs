//! Forms whose parameters are signed, and JSON Pointers.

use std::sync::LazyLock;

use nora_provider_sdk::webhook::{InboundHeaders, WebhookScheme};
use serde_json::Value;
use url::form_urlencoded;

use super::{SECRET, URL, is_verified, lines, mac, receive, scheme};

/// The signature; the query; the form.
pub(super) fn form(data: &[u8]) {
    static SCHEME: LazyLock<WebhookScheme> = LazyLock::new(|| {
        scheme(
            "bodies = [\"form\", \"json\"]\nempty_body = true\n[webhook.verify]\nscheme = \"hmac\"\nalgorithm = \"sha256\"\nheader = \"X-Sig\"\n\
             signed = \"{url}{form_sorted}\"\nbody_hash_query = \"bodySHA256\"\n",
        )
    });
    let Some(([given, query], body)) = lines(data) else { return };
    let Ok(query) = std::str::from_utf8(query) else { return };
    let mut pairs: Vec<_> = form_urlencoded::parse(body).collect();
    // A replacement character stands for bytes that are no text: what is signed is the bytes, which this reading lost.
    if pairs.iter().any(|(name, value)| name.contains('\u{fffd}') || value.contains('\u{fffd}')) {
        return;
    }
    pairs.sort();
    pairs.dedup();
    let parameters: String = pairs.iter().flat_map(|(name, value)| [name.as_ref(), value.as_ref()]).collect();
    let url = if query.is_empty() { URL.to_owned() } else { format!("{URL}?{query}") };
    let has_digest = form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == "bodySHA256");
    let parameters = if has_digest { "" } else { &parameters };
    let right = hex::encode(mac(SECRET.as_bytes(), &[url.as_bytes(), parameters.as_bytes()]));
    let signature = if given == b"@" { right.as_bytes() } else { given };
    let headers = [("x-sig", signature), ("content-type", b"application/x-www-form-urlencoded".as_slice())];
    let verified = is_verified(&receive(&SCHEME, SECRET, query, &headers, body));
    let is_right = signature.eq_ignore_ascii_case(right.as_bytes());
    assert!(!verified || is_right, "taken");
    assert!(verified || has_digest || signature != right.as_bytes(), "refused");
}

/// The pointer; the document.
pub(super) fn json_pointer(data: &[u8]) {
    let Some(([pointer], document)) = lines(data) else { return };
    let Ok(pointer) = std::str::from_utf8(pointer) else { return };
    let escapes_are_whole = pointer.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
    if !escapes_are_whole || !pointer.starts_with('/') || pointer.contains(char::is_control) {
        return;
    }
    let written = Value::String(pointer.to_owned());
    let scheme = scheme(&format!("sender = {{ pointer = {written} }}\n[webhook.verify]\nscheme = \"none\"\n"));
    let (_, found) = scheme.content_and_sender(&InboundHeaders::default(), document);
    // A document that serde_json cannot build may still be read around what it cannot build; and it takes `+1` for an
    // index, which RFC 6901 does not.
    let Ok(value) = serde_json::from_slice::<Value>(document) else { return };
    if pointer.contains("/+") {
        return;
    }
    let expected = match value.pointer(pointer) {
        Some(Value::String(text)) => Some(text.clone()),
        Some(scalar @ (Value::Number(_) | Value::Bool(_))) => Some(scalar.to_string()),
        _ => None,
    };
    let expected = expected.filter(|text| !text.is_empty()).map(|mut text| {
        text.truncate(text.floor_char_boundary(255));
        text
    });
    assert_eq!(found, expected, "{pointer}");
}
