//! Ed25519 and JWTs.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use nora_provider_sdk::signature::sha256;
use nora_provider_sdk::webhook::WebhookScheme;
use serde_json::Value;

use super::{NOW, SECRET, is_verified, lines, mac, receive, scheme};

const PUBLIC_KEY: &str = "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8";
/// Everything that was ever signed with the private key: time, body and signature.
const SIGNED: [(&str, &str, &str); 1] = [(
    "1767225600",
    "{\"type\":1}",
    "25aa4784bff62901fdfb578701f99af3dd1d7ebd0a0de05316b3453d30c2d592ce160c002a6c878a7fae2e0dd551179e7f002c0a600c04899e3c5fd7e652d00a",
)];

/// The signature; the time; the body.
pub(super) fn ed25519(data: &[u8]) {
    static SCHEME: LazyLock<WebhookScheme> = LazyLock::new(|| {
        scheme(
            "[webhook.verify]\nscheme = \"ed25519\"\nheader = \"X-Sig\"\nsigned = \"{timestamp}{body}\"\n\
             timestamp = { header = \"X-Time\" }\n",
        )
    });
    let Some(([signature, time], body)) = lines(data) else { return };
    let verified = is_verified(&receive(&SCHEME, PUBLIC_KEY, "", &[("x-sig", signature), ("x-time", time)], body));
    // Time and body run together, so a digit may move from the one to the other; the message is the same.
    let is_signed = SIGNED.iter().any(|(known_time, known_body, known)| {
        let message = [known_time.as_bytes(), known_body.as_bytes()].concat();
        message == [time, body].concat() && signature.eq_ignore_ascii_case(known.as_bytes())
    });
    assert!(!verified || is_signed);
}

/// The token; the body. A token of two parts and a dot is signed.
pub(super) fn jwt(data: &[u8]) {
    static SCHEME: LazyLock<WebhookScheme> = LazyLock::new(|| {
        scheme(
            "[webhook.verify]\nscheme = \"jwt\"\nalgorithm = \"HS256\"\nheader = \"X-Sig\"\nissuer = \"acme\"\n\
             audience = \"{url}\"\nbody_hash_claim = \"sha256\"\n",
        )
    });
    let Some(([given], body)) = lines(data) else { return };
    let signed = given.strip_suffix(b".").unwrap_or(given);
    let made = URL_SAFE_NO_PAD.encode(mac(SECRET.as_bytes(), &[signed]));
    let token = if given.ends_with(b".") { [given, made.as_bytes()].concat() } else { given.to_vec() };
    let verified = is_verified(&receive(&SCHEME, SECRET, "", &[("x-sig", &token)], body));
    assert!(!verified || holds(&token, body), "{}", String::from_utf8_lossy(&token));
}

/// Whether a token is right by another reading of it.
fn holds(token: &[u8], body: &[u8]) -> bool {
    let parts: Vec<&[u8]> = token.split(|byte| *byte == b'.').collect();
    let [head, claims, signature] = parts.as_slice() else { return false };
    let read = |part: &[u8]| -> Option<Value> { serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok() };
    let (Some(head_value), Some(values)) = (read(head), read(claims)) else { return false };
    let made = URL_SAFE_NO_PAD.encode(mac(SECRET.as_bytes(), &[head, b".", claims]));
    let digest = hex::encode(sha256(body));
    let says = |claim: &str| values.get(claim).and_then(Value::as_str).unwrap_or_default().to_owned();
    let ends_later = values.get("exp").is_none_or(|end| end.as_f64().is_none_or(|end| end >= f64::from(NOW)));
    made.as_bytes() == *signature
        && head_value.get("alg").and_then(Value::as_str) == Some("HS256")
        && says("iss") == "acme"
        && says("aud") == super::URL
        && says("sha256").eq_ignore_ascii_case(&digest)
        && ends_later
}
