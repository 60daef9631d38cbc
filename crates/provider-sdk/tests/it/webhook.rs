//! Webhook schemes.

use nora_provider_sdk::webhook::{
    Handshake, HashAlgorithm, SignatureEncoding, SignedPart, TimestampPlace, VerificationMethod, WebhookScheme,
};
use serde_json::json;

use crate::support::{HEAD, TEST, TOKEN, manifest, refusal};

fn with(block: &str) -> String {
    format!("{HEAD}{TOKEN}{TEST}[webhook]\n{block}")
}

fn scheme(block: &str) -> WebhookScheme {
    manifest(&with(block)).webhook().unwrap().clone()
}

#[test]
fn a_signature_over_a_time_and_the_body() {
    let scheme = scheme(
        r#"
delivery_id = { pointer = "/event_id" }
[webhook.verify]
scheme = "hmac"
algorithm = "sha256"
header = "X-Slack-Signature"
prefix = "v0="
signed = "v0:{timestamp}:{body}"
timestamp = { header = "X-Slack-Request-Timestamp" }
"#,
    );
    let VerificationMethod::Hmac { algorithm, signature, signed, timestamp, .. } = &scheme.verify[0].method else {
        panic!("an HMAC")
    };
    assert_eq!(*algorithm, HashAlgorithm::Sha256);
    assert_eq!(signature.headers, ["x-slack-signature"]);
    assert_eq!(signature.encoding, SignatureEncoding::Hex);
    let text = |text: &str| SignedPart::Text(text.to_owned());
    assert_eq!(*signed, [text("v0:"), SignedPart::Timestamp, text(":"), SignedPart::Body]);
    let timestamp = timestamp.as_ref().unwrap();
    assert_eq!(timestamp.place, TimestampPlace::Header("x-slack-request-timestamp".to_owned()));
    assert!(timestamp.signed);
    assert_eq!(timestamp.tolerance_seconds, 300);
    assert!(scheme.delivery_id.unwrap().signed, "the body is signed, and the id is in it");
    assert_eq!((scheme.accept_status, scheme.reject_status, scheme.max_body), (200, 400, 1024 * 1024));
}

#[test]
fn an_id_that_is_not_signed_says_so() {
    let id = |block: &str| scheme(block).delivery_id.unwrap().signed;
    assert!(!id(
        "delivery_id = { header = \"X-Id\" }\n[webhook.verify]\nscheme = \"hmac\"\nalgorithm = \"sha1\"\nheader = \"X-Sig\"\n"
    ));
    assert!(id("delivery_id = { header = \"webhook-id\" }\n[webhook.verify]\nscheme = \"standard_webhooks\"\n"));
    assert!(id(
        "delivery_id = { header = \"X-Id\" }\n[webhook.verify]\nscheme = \"hmac\"\nalgorithm = \"sha1\"\nheader = \"X-Sig\"\nsigned = \"{header:X-Id}|{body}\"\n"
    ));
    assert!(!id("delivery_id = { pointer = \"/id\" }\n[webhook.verify]\nscheme = \"token\"\nheader = \"X-Token\"\n"));
}

#[test]
fn a_header_with_several_values() {
    let scheme = scheme(
        "[webhook.verify]\nscheme = \"hmac\"\nalgorithm = \"sha256\"\nheader = \"Stripe-Signature\"\nlist = { signature = \"v1\", timestamp = \"t\" }\nsigned = \"{timestamp}.{body}\"\n",
    );
    let VerificationMethod::Hmac { signature, timestamp, .. } = &scheme.verify[0].method else { panic!("an HMAC") };
    let list = signature.list.as_ref().unwrap();
    assert_eq!((list.separator.as_str(), list.signature.as_str()), (",", "v1"));
    assert_eq!(timestamp.as_ref().unwrap().place, TimestampPlace::List);
}

#[test]
fn channels_are_asked_for_what_verifies() {
    for (block, field) in [
        (
            "[webhook.verify]\nscheme = \"ed25519\"\nheader = \"X-Signature-Ed25519\"\nsigned = \"{header:X-Ts}{body}\"\n",
            Some("public_key"),
        ),
        ("[webhook.verify]\nscheme = \"standard_webhooks\"\n", Some("signing_secret")),
        ("[webhook.verify]\nscheme = \"basic\"\n", Some("signing_secret")),
        ("[webhook.verify]\nscheme = \"none\"\n", None),
        (
            "[webhook.verify]\nscheme = \"jwt\"\nalgorithm = \"RS256\"\nheader = \"Authorization\"\nprefix = \"Bearer \"\njwks_url = \"https://acme.example/jwks\"\naudience = \"{url}\"\n",
            None,
        ),
        (
            "[webhook.verify]\nscheme = \"jwt\"\nalgorithm = \"HS256\"\nheader = \"X-Jwt\"\nbody_hash_claim = \"sha256\"\n",
            Some("signing_secret"),
        ),
    ] {
        let scheme = scheme(block);
        assert_eq!(scheme.secret_field(), field, "{block}");
        let config = scheme.channel_config_schema();
        jsonschema::draft202012::meta::validate(&config).unwrap();
        assert_eq!(config["properties"].as_object().unwrap().len(), usize::from(field.is_some()));
        assert_eq!(scheme.description()["secret_field"], json!(field));
    }
}

#[test]
fn handshakes_are_told_from_events() {
    let scheme = scheme(
        r#"
verify = { scheme = "hmac", algorithm = "sha256", header = "X-Sig" }

[[webhook.handshakes]]
kind = "echo_query"
method = "GET"
challenge = "hub.challenge"
require = { "hub.mode" = "subscribe" }
verify_token = "hub.verify_token"
reply = "text"

[[webhook.handshakes]]
kind = "sign_query"
challenge = "crc_token"
response = "response_token"
encoding = "base64"
prefix = "sha256="

[[webhook.handshakes]]
kind = "ping"
when = [{ pointer = "/type", equals = 1 }]
status = 200
json = '{"type": 1}'

[[webhook.handshakes]]
kind = "secret_in_header"
header = "X-Hook-Secret"
"#,
    );
    assert!(scheme.needs_verify_token() && scheme.secret_comes_in_handshake());
    let Handshake::Ping { json: answer, .. } = &scheme.handshakes[2] else { panic!("a ping") };
    assert_eq!(*answer, Some(json!({ "type": 1 })));
    assert_eq!(scheme.channel_config_schema()["properties"]["verify_token"]["writeOnly"], true);
    let kinds: Vec<_> = scheme.handshakes.iter().map(Handshake::kind).collect();
    assert_eq!(kinds, ["echo_query", "sign_query", "ping", "secret_in_header"]);
}

#[test]
fn several_ways_are_told_apart_by_their_headers() {
    let two = "[[webhook.verify]]\nscheme = \"standard_webhooks\"\n[[webhook.verify]]\nscheme = \"token\"\nheader = \"X-Gitlab-Token\"\n";
    let headers: Vec<Vec<String>> = scheme(two)
        .verify
        .iter()
        .map(|verification| verification.method.headers().into_iter().map(str::to_owned).collect())
        .collect();
    assert_eq!(headers, [vec!["webhook-signature", "svix-signature"], vec!["x-gitlab-token"]]);
    let blind = "[[webhook.verify]]\nscheme = \"none\"\n[[webhook.verify]]\nscheme = \"basic\"\n";
    assert!(refusal(&with(blind)).contains("is the last"));
}

#[test]
fn mistakes_are_explained() {
    for (block, because) in [
        ("scheme = \"hmac\"\nheader = \"X\"", "names its `algorithm`"),
        ("scheme = \"hmac\"\nalgorithm = \"md5\"\nheader = \"X\"", "sha1, sha256 and sha512"),
        ("scheme = \"hmac\"\nalgorithm = \"sha1\"", "where the signature is"),
        ("scheme = \"hmac\"\nalgorithm = \"sha1\"\nheader = \"X\"\nsigned = \"{bdy}\"", "what is signed is made of"),
        (
            "scheme = \"hmac\"\nalgorithm = \"sha1\"\nheader = \"X\"\nsigned = \"{timestamp}{body}\"",
            "exactly one place",
        ),
        ("scheme = \"token\"", "exactly one of `header` and `pointer`"),
        ("scheme = \"token\"\nheader = \"X\"\nalgorithm = \"sha1\"", "`algorithm` says nothing"),
        ("scheme = \"none\"\nheader = \"X\"", "`header` says nothing"),
        ("scheme = \"jwt\"\nheader = \"X\"\nalgorithm = \"RS256\"", "have a `jwks_url`"),
        ("scheme = \"jwt\"\nheader = \"X\"\nalgorithm = \"none\"", "HS256, RS256 or EdDSA"),
        ("scheme = \"magic\"", "unknown variant `magic`"),
    ] {
        let reason = refusal(&with(&format!("[webhook.verify]\n{block}\n")));
        assert!(reason.contains(because), "{block}: {reason}");
    }
}
