//! Signatures that look right: what becomes of each, at the services it was made for.

use nora_provider_sdk::webhook::{
    BuiltinType, ChannelKeys, HandshakeMethod, InboundHeaders, InboundRequest, Received, RefusalReason, VECTOR_URL,
    WebhookScheme,
};
use nora_provider_sdk::{Secret, Timestamp};

use RefusalReason::{BadBody, MalformedRequest, MalformedSignature, Mismatch, MissingSignature, Stale};

fn scheme(id: &str) -> WebhookScheme {
    let providers = nora_providers_standard::all().unwrap();
    let provider = providers.iter().find(|provider| provider.manifest().id().as_str() == id).unwrap();
    provider.manifest().webhook().unwrap().clone()
}

/// A request to a channel of `scheme` at `now`, in seconds: why it is refused, or its delivery id and dedupe key.
fn outcome(
    scheme: &WebhookScheme,
    secret: &str,
    headers: &[(&str, &str)],
    body: &[u8],
    now: i64,
) -> Result<Option<[u8; 32]>, RefusalReason> {
    let headers: InboundHeaders<'_> = headers.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
    let request = InboundRequest { method: HandshakeMethod::Post, url: VECTOR_URL, query: "", headers: &headers, body };
    let secret = Secret::new(secret.to_owned());
    let keys = ChannelKeys { secrets: &[&secret], ..ChannelKeys::default() };
    match scheme.receive(&request, &keys, Timestamp::from_microseconds(now * 1_000_000)) {
        Received::Event(event) => Ok(event.dedupe_key),
        Received::Refused(refusal) => {
            assert_eq!(refusal.status, 400, "every refusal looks the same");
            Err(refusal.reason)
        }
        other => panic!("{other:?}"),
    }
}

/// The example of GitHub's documentation, and what is nearly that.
#[test]
fn a_hexadecimal_mac_is_whole_and_of_one_secret() {
    const SECRET: &str = "It's a Secret to Everybody";
    const RIGHT: &str = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    let github = scheme("github");
    let upper = format!("sha256={}", RIGHT.to_ascii_uppercase());
    let mixed = format!("sha256={}", RIGHT.replacen('e', "E", 1));
    for (signature, expected) in [
        (format!("sha256={RIGHT}"), Ok(None)),
        // One case or the other throughout, in any mixture no vendor writes it.
        (upper, Ok(None)),
        (mixed, Err(MalformedSignature)),
        // The prefix is written as GitHub writes it.
        (format!("SHA256={RIGHT}"), Err(MalformedSignature)),
        ("sha256=757107ea0eb2509fc211221cce984b8a".to_owned(), Err(Mismatch)),
        (format!("sha256={RIGHT}00"), Err(Mismatch)),
        (format!("sha256={}", &RIGHT[..63]), Err(MalformedSignature)),
        (format!("sha256={}", "g".repeat(64)), Err(MalformedSignature)),
        (format!("sha256={}", "é".repeat(32)), Err(MalformedSignature)),
        (format!("sha256={RIGHT},sha256={}", "0".repeat(64)), Err(MalformedSignature)),
        // Under the text "undefined", and under another channel's secret.
        ("sha256=8d969d145d7cafbbf5f27a87861f7079b5a0246c5268124f36514da7108fd3e5".to_owned(), Err(Mismatch)),
        ("sha256=1b42367ee6fcecd04372986cabced30f8a7b2a59ea48383cf2fff1a1066c6ddf".to_owned(), Err(Mismatch)),
        (String::new(), Err(MissingSignature)),
        (RIGHT.to_owned(), Err(MalformedSignature)),
    ] {
        let headers = [("x-hub-signature-256", signature.as_str())];
        assert_eq!(outcome(&github, SECRET, &headers, b"Hello, World!", 0), expected, "{signature}");
    }
    let headers = [("x-hub-signature-256", format!("sha256={RIGHT}"))];
    let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
    assert_eq!(outcome(&github, SECRET, &headers, b"Hello, World!\n", 0), Err(Mismatch), "one byte more");
}

/// GitHub keeps the id when a delivery is repeated.
#[test]
fn a_repeated_delivery_has_the_key_of_the_first() {
    let signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    let github = scheme("github");
    let key = |id: &str| {
        let headers = [("X-Hub-Signature-256", signature), ("X-GitHub-Delivery", id)];
        outcome(&github, "It's a Secret to Everybody", &headers, b"Hello, World!", 0).unwrap().unwrap()
    };
    assert_eq!(key("d1"), key("d1"));
    assert_ne!(key("d1"), key("d2"));
}

/// The MAC is over bytes, whatever they are; JSON that is no UTF-8 is refused after that.
#[test]
fn bytes_that_are_no_text_are_verified_and_then_refused() {
    let headers = [("x-hub-signature-256", "sha256=f80b2c1cd06e4ce46478a270cd37d159faeac142016a1cd60d26bb0462107d76")];
    let github = scheme("github");
    assert_eq!(outcome(&github, "k1", &headers, b"{\"a\":\"\xff\"}", 0), Err(BadBody));
    assert_eq!(outcome(&github, "k2", &headers, b"{\"a\":\"\xff\"}", 0), Err(Mismatch));
}

/// The example of the Standard Webhooks specification, and what is nearly that.
#[test]
fn standard_webhooks_are_read_strictly() {
    const RIGHT: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    let standard = BuiltinType::StandardWebhooks.scheme(&serde_json::Map::new()).unwrap();
    let (id, time) = (Some("msg_p5jXN8AQM9LWM0D4loKWxJek"), Some("1614265330"));
    for (id, time, signature, refused) in [
        (id, time, RIGHT, None),
        (id, time, "v1,", Some(MalformedSignature)),
        (id, time, "v1,g0hM9SsE+OT", Some(MalformedSignature)),
        (None, time, RIGHT, Some(MalformedRequest)),
        (id, None, RIGHT, Some(MalformedRequest)),
        (id, time, "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", Some(MalformedSignature)),
        (id, time, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE", Some(MalformedSignature)),
        (id, time, "v1,g0hM9SsE-OTPJTGt_tmIKtSyZlE3uFJELVlNIOLJ1OE=", Some(MalformedSignature)),
        (id, Some("1614265330.0"), RIGHT, Some(MalformedRequest)),
        (id, Some("-9223372036854775808"), RIGHT, Some(MalformedRequest)),
        (id, Some("١٦١٤٢٦٥٣٣٠"), RIGHT, Some(MalformedSignature)),
    ] {
        let headers: Vec<(&str, &str)> = [("webhook-id", id), ("webhook-timestamp", time)]
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .chain([("webhook-signature", signature)])
            .collect();
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let found = outcome(&standard, secret, &headers, b"{\"test\": 2432232314}", 1_614_265_330);
        assert_eq!(found.err(), refused, "{headers:?}");
    }
}

#[test]
fn a_list_of_signatures_needs_one_that_is_right() {
    const RIGHT: &str = "50cfc0c372490191ca81358ff59f13b27b7b1cf6cf783ce3460ff88cb960c1db";
    let stripe = scheme("stripe");
    let zeros = "0".repeat(64);
    for (header, refused) in [
        (format!("t=1700000000,v1={RIGHT}"), None),
        (format!("t=1700000000,v1={zeros},v1={RIGHT}"), None),
        ("t=1700000000,v1=50cfc0c372".to_owned(), Some(Mismatch)),
        (format!("t=1700000000,t=1700000001,v1={RIGHT}"), Some(MalformedSignature)),
        (format!("v1={RIGHT}"), Some(MalformedRequest)),
        (format!("t=1700000000,v0={RIGHT}"), Some(MalformedSignature)),
    ] {
        let headers = [("stripe-signature", header.as_str())];
        let body = b"{\"id\":\"evt_1\",\"object\":\"event\"}";
        let found = outcome(&stripe, "whsec_test_stripe", &headers, body, 1_700_000_000);
        assert_eq!(found.err(), refused, "{header}");
    }
}

/// The example of Slack's documentation, a second too late, and without a signature behind its prefix.
#[test]
fn an_old_or_empty_signature_is_refused() {
    let slack = scheme("slack");
    let example = slack.vectors.first().unwrap();
    let signature = &example.headers.iter().find(|(name, _)| name == "x-slack-signature").unwrap().1;
    for (signature, now, refused) in [
        (signature.as_str(), 1_531_420_918, None),
        (signature, 1_531_420_919, Some(Stale)),
        ("v0=", 1_531_420_618, Some(MalformedSignature)),
    ] {
        let headers = [
            ("X-Slack-Signature", signature),
            ("X-Slack-Request-Timestamp", "1531420618"),
            ("Content-Type", "application/x-www-form-urlencoded"),
        ];
        let found = outcome(&slack, example.secret.as_ref().unwrap(), &headers, &example.body, now);
        assert_eq!(found.err(), refused);
    }
}

/// A channel whose URL has a port is signed without it, too.
#[test]
fn twilio_signs_a_url_with_its_port_or_without() {
    let twilio = scheme("twilio");
    let example = twilio.vectors.first().unwrap();
    for (url, verified) in [
        ("https://mycompany.com/myapp.php", true),
        ("https://mycompany.com:443/myapp.php", true),
        ("https://mycompany.com:8443/myapp.php", true),
        ("https://mycompany.com.evil.example/myapp.php", false),
        ("http://mycompany.com/myapp.php", false),
    ] {
        let found = example.play(|request, keys, now| twilio.receive(&InboundRequest { url, ..*request }, keys, now));
        assert_eq!(matches!(found, Received::Event(_)), verified, "{url}");
    }
}

/// A JSON body is covered by nothing but its digest in the query.
#[test]
fn twilio_takes_no_json_without_its_digest() {
    let twilio = scheme("twilio");
    let example = twilio.vectors.iter().find(|vector| vector.query.contains("bodySHA256")).unwrap();
    let with = |query: &str, body: &[u8]| {
        example.play(|request, keys, now| {
            match twilio.receive(&InboundRequest { query, body, ..*request }, keys, now) {
                Received::Refused(refusal) => Some(refusal.reason),
                _ => None,
            }
        })
    };
    assert_eq!(with(&example.query, &example.body), None);
    assert_eq!(with(&example.query, b"{}"), Some(Mismatch));
    assert_eq!(with("foo=1&bar=2", &example.body), Some(MalformedRequest));
    assert_eq!(with(&format!("{}&bodySHA256=00", example.query), &example.body), Some(MalformedRequest));
}
