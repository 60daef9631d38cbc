//! Bytes of any kind against the verification of webhooks, each kind of it with an oracle that knows better.
//!
//! A target takes any bytes, makes a request of them, and panics where the engine takes what it must not take, or does
//! not take what it must. The folder `fuzz` runs the targets under libFuzzer; `tests/it/fuzz.rs` runs them over the
//! corpus kept there and over random bytes, every day.
//!
//! The bytes are lines: what the headers say, then the body. A signature that reads `@` is replaced by the right one,
//! so that what is behind it is reached too.

mod forms;
mod macs;
mod others;

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use nora_provider_sdk::webhook::{
    ChannelKeys, HandshakeMethod, InboundHeaders, InboundRequest, Received, WebhookScheme,
};
use nora_provider_sdk::{Manifest, Secret, Timestamp};

/// A target.
pub type Target = fn(&[u8]);

/// Every target, by name: one for each kind of verification.
pub const TARGETS: [(&str, Target); 8] = [
    ("hex_mac", macs::hex_mac),
    ("base64_mac", macs::base64_mac),
    ("signature_list", macs::signature_list),
    ("standard_webhooks", macs::standard_webhooks),
    ("ed25519", others::ed25519),
    ("jwt", others::jwt),
    ("form", forms::form),
    ("json_pointer", forms::json_pointer),
];

const SECRET: &str = "whsec_Y29tcHV0ZWQtZXhhbXBsZS1rZXktMDEyMzQ1Njc=";
const URL: &str = nora_provider_sdk::webhook::VECTOR_URL;
/// 2026-01-01T00:00:00Z, in seconds.
const NOW: u32 = 1_767_225_600;

/// A scheme out of the `[webhook]` table of a manifest.
fn scheme(table: &str) -> WebhookScheme {
    let manifest = format!(
        "id = \"acme\"\nname = \"Acme\"\ncategory = \"other\"\ndescription = \"Sends events.\"\n\
         docs_url = \"https://acme.example\"\nauth_type = \"none\"\n[test]\ncode = true\n[webhook]\n{table}"
    );
    let manifest = Manifest::parse("acme.toml", &manifest).expect("the manifest is right");
    manifest.webhook().expect("it has webhooks").clone()
}

/// Splits off the lines in front of the body; `None` if there are too few.
fn lines<const N: usize>(data: &[u8]) -> Option<([&[u8]; N], &[u8])> {
    let mut parts = data.splitn(N + 1, |byte| *byte == b'\n');
    let mut lines = [[].as_slice(); N];
    for line in &mut lines {
        *line = parts.next()?;
    }
    Some((lines, parts.next()?))
}

/// What becomes of a request with these headers under the one secret of its channel.
fn receive(scheme: &WebhookScheme, secret: &str, query: &str, headers: &[(&str, &[u8])], body: &[u8]) -> Received {
    let headers: InboundHeaders<'_> = headers.iter().copied().collect();
    let request = InboundRequest { method: HandshakeMethod::Post, url: URL, query, headers: &headers, body };
    let secret = Secret::new(secret.to_owned());
    let keys = ChannelKeys { secrets: &[&secret], ..ChannelKeys::default() };
    scheme.receive(&request, &keys, Timestamp::from_microseconds(i64::from(NOW) * 1_000_000))
}

/// Whether it was verified: taken, or refused for nothing but its body.
fn is_verified(received: &Received) -> bool {
    match received {
        Received::Event(event) => event.verified_by == Some(0),
        Received::Answer(_) => true,
        Received::Enrol { .. } => false,
        Received::Refused(refusal) => refusal.reason == nora_provider_sdk::webhook::RefusalReason::BadBody,
    }
}

fn mac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    nora_provider_sdk::signature::hmac_sha256(key, &parts.concat())
}

/// The key of [`SECRET`] where it is decoded.
static KEY: LazyLock<Vec<u8>> =
    LazyLock::new(|| STANDARD.decode(SECRET.trim_start_matches("whsec_")).expect("the secret is Base64"));
