//! Channel types that belong to no provider, and secrets that are none.

use nora_provider_sdk::Secret;
use nora_provider_sdk::webhook::{BuiltinType, RefusalReason, WeakSecret, WebhookScheme};
use serde_json::{Value, json};

use crate::inbound::{Call, NOW, event_of, hmac, refusal_of, scheme};

fn built(kind: BuiltinType, config: &Value) -> WebhookScheme {
    kind.scheme(config.as_object().unwrap()).unwrap()
}

#[test]
fn the_schemas_are_schemas_and_take_what_the_schemes_take() {
    for kind in BuiltinType::ALL {
        let schema = kind.config_schema();
        assert!(jsonschema::draft202012::meta::is_valid(&schema), "{}", kind.id());
        assert_eq!(BuiltinType::by_id(kind.id()), Some(kind));
    }
    let validator = jsonschema::draft202012::new(&BuiltinType::Webhook.config_schema()).unwrap();
    for (config, good) in [
        (json!({}), true),
        (json!({ "scheme": "token", "header": "X-Key", "prefix": "Bearer " }), true),
        (json!({ "algorithm": "sha512", "encoding": "base64", "delivery_id_header": "X-Id" }), true),
        (json!({ "algorithm": "md5" }), false),
        (json!({ "header": "X Key" }), false),
        (json!({ "encoding": 1 }), false),
        (json!({ "scheme": "none" }), false),
    ] {
        assert_eq!(validator.is_valid(&config), good, "{config}");
        assert_eq!(BuiltinType::Webhook.scheme(config.as_object().unwrap()).is_ok(), good, "{config}");
    }
    assert_eq!(BuiltinType::by_id("github"), None);
}

#[test]
fn a_webhook_is_signed_as_its_channel_says() {
    let config = json!({ "header": "X-Hub-Signature-256", "prefix": "sha256=", "delivery_id_header": "X-Id", "event_type_header": "X-Event" });
    let signature = format!("sha256={}", hmac("one", Call::default().body));
    let headers = [("x-hub-signature-256", signature.as_str()), ("x-id", "7"), ("x-event", "push")];
    let call = Call { secrets: &["one"], headers: &headers, ..Call::default() };
    let event = event_of(&built(BuiltinType::Webhook, &config), &call);
    assert_eq!((event.delivery_id.as_deref(), event.event_type.as_deref()), (Some("7"), Some("push")));
    let token = built(BuiltinType::Webhook, &json!({ "scheme": "token" }));
    for (header, refused) in [("one", None), ("two", Some(RefusalReason::Mismatch))] {
        let call = Call { secrets: &["one"], headers: &[("x-webhook-token", header)], ..Call::default() };
        assert_eq!(refusal_of(&token, &call), refused);
    }
}

/// Anybody may send to such a channel, so a body that says nothing of itself is JSON or refused.
#[test]
fn a_webhook_takes_a_form_that_says_so() {
    let webhook = built(BuiltinType::Webhook, &json!({}));
    for (kind, refused) in [
        ("application/x-www-form-urlencoded", None),
        ("application/json", Some(RefusalReason::BadBody)),
        ("text/plain", Some(RefusalReason::BadBody)),
    ] {
        let call = Call { unverified: true, headers: &[("content-type", kind)], body: "a=1", ..Call::default() };
        assert_eq!(refusal_of(&webhook, &call), refused, "{kind}");
    }
}

/// Under Svix's names too, but never with an id that is not the signed one.
#[test]
fn standard_webhooks_have_two_sets_of_names() {
    let scheme = built(BuiltinType::StandardWebhooks, &json!({}));
    let time = NOW.to_string();
    let signed = "v1,LG4c7btXHjrUnFXlO3GPyNgkWNbK94KURzitX5zK2OQ=";
    let svix = [("svix-id", "msg_1"), ("svix-timestamp", time.as_str()), ("svix-signature", signed)];
    let specified = [("webhook-id", "msg_1"), ("webhook-timestamp", time.as_str()), ("webhook-signature", signed)];
    let secrets = &["whsec_Y29tcHV0ZWQtZXhhbXBsZS1rZXktMDEyMzQ1Njc="];
    let key = |headers: &[(&str, &str)]| {
        let event = event_of(&scheme, &Call { headers, secrets, ..Call::default() });
        assert_eq!(event.delivery_id.as_deref(), Some("msg_1"));
        event.dedupe_key
    };
    assert_eq!(key(&svix), key(&specified));
    let mixed = [&svix[..], &[("webhook-id", "msg_2")]].concat();
    let call = Call { secrets, headers: &mixed, ..Call::default() };
    assert_eq!(refusal_of(&scheme, &call), Some(RefusalReason::MissingSignature));
}

#[test]
fn secrets_that_are_none_are_refused() {
    let check = |scheme: &WebhookScheme, text: &str| scheme.check_secret(&Secret::new(text.to_owned()));
    let vendor = scheme("[webhook.verify]\nscheme = \"hmac\"\nalgorithm = \"sha256\"\nheader = \"X-Sig\"\n");
    for text in [
        "undefined",
        "NULL",
        " changeme ",
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ==",
    ] {
        assert_eq!(check(&vendor, text), Err(WeakSecret::Placeholder), "{text}");
    }
    assert_eq!(check(&vendor, " \t"), Err(WeakSecret::Empty));
    assert_eq!(check(&vendor, "12345"), Ok(()), "what a vendor issues is taken as it comes");
    let own = built(BuiltinType::Webhook, &json!({}));
    assert_eq!(check(&own, "only-twenty-three-bytes"), Err(WeakSecret::TooShort(24)));
    assert_eq!(check(&own, "these-are-24-bytes-12345"), Ok(()));
    let standard = built(BuiltinType::StandardWebhooks, &json!({}));
    assert_eq!(check(&standard, "whsec_c2hvcnQ="), Err(WeakSecret::TooShort(24)));
    assert_eq!(check(&standard, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), Ok(()));
    assert_eq!(check(&standard, "no Base64 at all, but long enough"), Err(WeakSecret::NoKey));
    let discord = scheme("[webhook.verify]\nscheme = \"ed25519\"\nheader = \"X-Sig\"\n");
    assert_eq!(check(&discord, "0123456789abcdef"), Err(WeakSecret::NoKey));
    assert_eq!(check(&discord, "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8"), Ok(()));
}
