//! HMACs: in hexadecimal, in Base64, in lists, and as Standard Webhooks.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use nora_provider_sdk::Timestamp;
use nora_provider_sdk::webhook::{BuiltinType, WebhookScheme};

use super::{KEY, NOW, SECRET, is_verified, lines, mac, receive, scheme};

/// The signature; the body.
pub(super) fn hex_mac(data: &[u8]) {
    static SCHEME: LazyLock<WebhookScheme> = LazyLock::new(|| {
        scheme(
            "[webhook.verify]\nscheme = \"hmac\"\nalgorithm = \"sha256\"\nheader = \"X-Sig\"\nprefix = \"sha256=\"\n",
        )
    });
    let Some(([given], body)) = lines(data) else { return };
    let right = format!("sha256={}", hex::encode(mac(SECRET.as_bytes(), &[body])));
    let signature = if given == b"@" { right.as_bytes() } else { given };
    let verified = is_verified(&receive(&SCHEME, SECRET, "", &[("x-sig", signature)], body));
    let upper = format!("sha256={}", right.trim_start_matches("sha256=").to_ascii_uppercase());
    assert_eq!(verified, signature == right.as_bytes() || signature == upper.as_bytes());
}

/// The signature; the time of sending in RFC 3339; the body.
pub(super) fn base64_mac(data: &[u8]) {
    static SCHEME: LazyLock<WebhookScheme> = LazyLock::new(|| {
        scheme(
            "[webhook.verify]\nscheme = \"hmac\"\nalgorithm = \"sha256\"\nencoding = \"base64\"\nheader = \"X-Sig\"\n\
             signed = \"{body}{timestamp}\"\ntimestamp = { header = \"X-Time\", unit = \"rfc3339\" }\n",
        )
    });
    let Some(([given, time], body)) = lines(data) else { return };
    let right = STANDARD.encode(mac(SECRET.as_bytes(), &[body, time]));
    let signature = if given == b"@" { right.as_bytes() } else { given };
    let verified = is_verified(&receive(&SCHEME, SECRET, "", &[("x-sig", signature), ("x-time", time)], body));
    let sent = std::str::from_utf8(time).ok().and_then(|time| time.parse::<Timestamp>().ok());
    let fresh = sent.is_some_and(|sent| (i64::from(NOW) * 1_000_000 - sent.as_microseconds()).abs() <= 300_000_000);
    assert_eq!(verified, signature == right.as_bytes() && fresh && time.is_ascii());
}

/// The list; the body. In the list `@` stands for the right signature over a time that stands before it.
pub(super) fn signature_list(data: &[u8]) {
    static SCHEME: LazyLock<WebhookScheme> = LazyLock::new(|| {
        scheme(
            "[webhook.verify]\nscheme = \"hmac\"\nalgorithm = \"sha256\"\nheader = \"X-Sig\"\n\
             list = { signature = \"v1\", timestamp = \"t\" }\nsigned = \"{timestamp}.{body}\"\n",
        )
    });
    let Some(([given], body)) = lines(data) else { return };
    let Ok(given) = std::str::from_utf8(given) else { return };
    let entries: Vec<_> = given.split(',').filter_map(|entry| entry.trim_ascii().split_once('=')).collect();
    let times: Vec<&str> = entries.iter().filter(|(name, _)| *name == "t").map(|(_, time)| *time).collect();
    let time = times.first().copied().unwrap_or_default();
    let right = hex::encode(mac(SECRET.as_bytes(), &[time.as_bytes(), b".", body]));
    let list = given.replace('@', &right);
    let verified = is_verified(&receive(&SCHEME, SECRET, "", &[("x-sig", list.as_bytes())], body));
    let written = [right.clone(), right.to_ascii_uppercase()];
    let holds_it = list.split(',').any(|entry| {
        entry.trim_ascii().strip_prefix("v1=").is_some_and(|signature| written.iter().any(|right| right == signature))
    });
    assert!(!verified || (holds_it && times.len() == 1 && is_now(time)), "{list}");
    let plain = list.matches("v1=").count() <= 10 && list.is_ascii() && list.len() <= 4096;
    assert!(verified || !(holds_it && times.len() == 1 && is_now(time) && plain), "{list}");
}

/// The id; the time; the signatures; the body.
pub(super) fn standard_webhooks(data: &[u8]) {
    static SCHEME: LazyLock<WebhookScheme> =
        LazyLock::new(|| BuiltinType::StandardWebhooks.scheme(&serde_json::Map::new()).expect("it needs nothing"));
    let Some(([id, time, given], body)) = lines(data) else { return };
    let Ok(given) = std::str::from_utf8(given) else { return };
    let right = STANDARD.encode(mac(&KEY, &[id, b".", time, b".", body]));
    let list = given.replace('@', &right);
    let headers = [("webhook-id", id), ("webhook-timestamp", time), ("webhook-signature", list.as_bytes())];
    let verified = is_verified(&receive(&SCHEME, SECRET, "", &headers, body));
    let holds_it = list.split(' ').any(|entry| entry.strip_prefix("v1,") == Some(right.as_str()));
    let is_fresh = std::str::from_utf8(time).is_ok_and(is_now);
    assert!(!verified || (holds_it && is_fresh && !id.is_empty()), "{list}");
    let plain = list.matches("v1,").count() <= 10 && list.is_ascii() && list.len() <= 4096;
    let plain = plain && id.is_ascii() && !id.is_empty() && id.len() <= 4096;
    assert!(verified || !(holds_it && is_fresh && plain), "{list}");
}

/// Whether a time in seconds is within 300 of now, written in plain digits.
fn is_now(time: &str) -> bool {
    let digits = !time.is_empty() && time.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = time.parse::<i128>().ok().filter(|_| digits && time.len() <= 4096);
    seconds.is_some_and(|seconds| (seconds - i128::from(NOW)).abs() <= 300)
}
