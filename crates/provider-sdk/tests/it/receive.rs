//! What becomes of requests that are events.

use nora_provider_sdk::webhook::{BodyForm, RefusalReason, Reverified};

use crate::inbound::{Call, NOW, event_of, hmac, refusal_of, scheme};

const BODY: &str = "{\"id\": \"evt_1\"}";

const PLAIN: &str = r#"
[webhook.verify]
scheme = "hmac"
algorithm = "sha256"
header = "X-Sig"
"#;

const TIMED: &str = r#"
[webhook.verify]
scheme = "hmac"
algorithm = "sha256"
header = "X-Sig"
signed = "{timestamp}.{body}"
timestamp = { header = "X-Time" }
"#;

const TOKEN: &str = "[webhook.verify]\nscheme = \"token\"\nheader = \"X-Token\"\n";

#[test]
fn every_secret_of_a_channel_is_tried_and_named() {
    let signature = hmac("two", BODY);
    let call = Call { secrets: &["one", "two", "three"], headers: &[("x-sig", &signature)], ..Call::default() };
    assert_eq!(event_of(&scheme(PLAIN), &call).verified_by, Some(1));
    let call = Call { secrets: &["one", "three"], ..call };
    assert_eq!(refusal_of(&scheme(PLAIN), &call), Some(RefusalReason::Mismatch));
}

#[test]
fn nothing_is_taken_without_a_secret_unless_somebody_chose_so() {
    let signature = hmac("", BODY);
    let call = Call { headers: &[("x-sig", &signature)], ..Call::default() };
    assert_eq!(refusal_of(&scheme(PLAIN), &call), Some(RefusalReason::NoKey));
    let empty = Call { secrets: &[""], ..call };
    assert_eq!(refusal_of(&scheme(PLAIN), &empty), Some(RefusalReason::Mismatch), "an empty key is no key");
    let event = event_of(&scheme(PLAIN), &Call { unverified: true, headers: &[], ..call });
    assert_eq!((event.verified_by, event.dedupe_key), (None, None), "and nobody claims an id unverified");
    let none = scheme("[webhook.verify]\nscheme = \"none\"\n");
    assert_eq!(refusal_of(&none, &Call { secrets: &["one"], ..call }), Some(RefusalReason::Unsupported));
}

/// The rules of what makes two events one.
#[test]
fn an_id_that_is_not_signed_counts_with_the_body_and_a_time_too() {
    let key = |block: &str, headers: &[(&str, &str)], body: &str| {
        let signed = if block.contains("timestamp") { format!("{NOW}.{body}") } else { body.to_owned() };
        let (signature, time) = (hmac("one", &signed), NOW.to_string());
        let headers = [headers, &[("x-sig", &signature), ("x-time", &time), ("x-token", "one")]].concat();
        event_of(&scheme(block), &Call { secrets: &["one"], headers: &headers, body, ..Call::default() }).dedupe_key
    };
    let in_body = format!("delivery_id = {{ pointer = \"/id\" }}\n{PLAIN}");
    let beside = format!("delivery_id = {{ header = \"X-Id\" }}\n{PLAIN}");
    let token = format!("delivery_id = {{ header = \"X-Id\" }}\n{TOKEN}");
    let other = "{\"id\": \"evt_1\", \"n\": 2}";
    assert_eq!(key(&in_body, &[], BODY), key(&in_body, &[], other), "a signed id is enough");
    assert_ne!(key(&beside, &[("x-id", "1")], BODY), key(&beside, &[("x-id", "1")], other));
    assert_ne!(key(&beside, &[("x-id", "1")], BODY), key(&beside, &[("x-id", "2")], BODY));
    assert_eq!(key(&token, &[("x-id", "1")], BODY), key(&token, &[("x-id", "1")], BODY));
    assert_eq!(key(&beside, &[], BODY), None, "neither id nor time");
    assert_eq!(key(TIMED, &[], BODY), key(TIMED, &[], BODY));
    assert_ne!(key(TIMED, &[], BODY), key(TIMED, &[], other));
    let two = "delivery_id = { pointer = [\"/a\", \"/b\"] }\n".to_owned() + PLAIN;
    let (left, right) = (r#"{"a": "x:", "b": "y"}"#, r#"{"a": "x", "b": ":y"}"#);
    assert_ne!(key(&two, &[], left), key(&two, &[], right), "parts do not run together");
}

#[test]
fn labels_are_cut_and_clean() {
    let long = "é".repeat(300);
    let body = format!("{{\"id\": \"a\\u0007b{long}\", \"lane\": \"{long}\", \"type\": 7}}");
    let block = "delivery_id = { pointer = \"/id\" }\nevent_type = { pointer = \"/type\" }\nordering_key = \"/lane\"\n";
    let call = Call { unverified: true, body: &body, ..Call::default() };
    let event = event_of(&scheme(&format!("{block}{PLAIN}")), &call);
    let id = event.delivery_id.unwrap();
    assert!(id.starts_with("abé") && id.len() <= 255, "{id}");
    assert_eq!(event.event_type.as_deref(), Some("7"));
    assert_eq!(event.ordering_key.map(|key| key.len()), Some(64), "a digest in its place");
}

#[test]
fn what_is_stored_holds_no_credential() {
    let headers =
        [("Authorization", "Bearer x"), ("Cookie", "a=b"), ("X-Token", "one"), ("X-Sig", "00"), ("X-Id", "1")];
    let signature = [("x-token", "one"), ("x-sig", "00"), ("x-id", "1")];
    let token = [("x-token", "***"), ("x-sig", "00"), ("x-id", "1")];
    for (block, kept) in [(PLAIN, signature), (TOKEN, token)] {
        let call = Call { unverified: true, headers: &headers, ..Call::default() };
        let stored = event_of(&scheme(block), &call).masked_headers;
        let stored: Vec<(String, String)> =
            stored.into_iter().map(|(name, value)| (name, String::from_utf8(value).unwrap())).collect();
        assert_eq!(stored, kept.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }
    let teams = "[webhook.verify]\nscheme = \"hmac\"\nalgorithm = \"sha256\"\nheader = \"Authorization\"\n";
    let call = Call { unverified: true, headers: &[("authorization", "HMAC x")], ..Call::default() };
    assert_eq!(event_of(&scheme(teams), &call).masked_headers.len(), 1, "a signature is no credential");
}

#[test]
fn a_token_in_the_body_is_taken_out_of_it_and_nothing_else_changes() {
    let figma = scheme("[webhook.verify]\nscheme = \"token\"\npointer = \"/passcode\"\n");
    let stored = |body: &str| {
        let call = Call { secrets: &["pass"], body, ..Call::default() };
        String::from_utf8(event_of(&figma, &call).body_override.unwrap()).unwrap()
    };
    assert_eq!(
        stored(r#"{"n": 1.0, "passcode":"pass", "b": "pass", "n": 1e400}"#),
        r#"{"n": 1.0, "passcode":"***", "b": "***", "n": 1e400}"#
    );
    assert_eq!(stored(r#"{"passcode": "p\u0061ss"}"#), r#"{"passcode":"***"}"#);
    let wrong = Call { secrets: &["other"], body: r#"{"passcode": "pass"}"#, ..Call::default() };
    assert_eq!(refusal_of(&figma, &wrong), Some(RefusalReason::Mismatch));
}

#[test]
fn bodies_are_what_their_scheme_sends() {
    let outcome = |forms: &str, kind: &str, body: &str| {
        let headers = [("content-type", kind)];
        let call = Call { unverified: true, headers: &headers, body, ..Call::default() };
        refusal_of(&scheme(&format!("{forms}{PLAIN}")), &call)
    };
    let both = "bodies = [\"json\", \"form\"]\n";
    assert_eq!(scheme(&format!("{both}{PLAIN}")).bodies, [BodyForm::Json, BodyForm::Form]);
    for (forms, kind, body, taken) in [
        ("", "application/json", "{}", true),
        ("", "application/json; charset=utf-8", "[1e400]", true),
        ("", "text/plain", "{}", true),
        ("", "application/json", "", false),
        ("empty_body = true\n", "application/json", "", true),
        ("", "application/json", "{} {}", false),
        ("", "application/json", "\u{feff}{}", false),
        ("", "application/x-www-form-urlencoded", "a=1", false),
        (both, "application/x-www-form-urlencoded", "a=1", true),
        (both, "application/json", "a=1", false),
        (both, "", "a=1", true),
        (both, "", "{", false),
    ] {
        let expected = (!taken).then_some(RefusalReason::BadBody);
        assert_eq!(outcome(forms, kind, body), expected, "{forms} {kind} {body}");
    }
}

#[test]
fn a_recorded_request_is_verified_again_as_of_its_arrival() {
    let (signature, time) = (hmac("old", &format!("{NOW}.{BODY}")), NOW.to_string());
    let headers = [("x-sig", signature.as_str()), ("x-time", &time), ("x-token", "***")];
    let again =
        |block: &str, call: &Call<'_>| call.with(|request, keys, now| scheme(block).reverify(request, keys, now));
    let call = Call { secrets: &["new", "old"], headers: &headers, ..Call::default() };
    assert_eq!(again(TIMED, &call), Reverified::Verified(Some(1)));
    assert_eq!(again(TIMED, &Call { secrets: &["new"], ..call }), Reverified::Refused(RefusalReason::Mismatch));
    assert_eq!(again(TOKEN, &call), Reverified::Recorded, "the secret was not stored");
    assert_eq!(again(TIMED, &Call { unverified: true, ..call }), Reverified::Verified(None));
    assert!(scheme(TIMED).can_reverify() && !scheme(TOKEN).can_reverify());
}

#[test]
fn ten_signatures_are_tried_and_no_more() {
    let block = "[webhook.verify]\nscheme = \"hmac\"\nalgorithm = \"sha256\"\nheader = \"X-Sig\"\nlist = { signature = \"v1\" }\n";
    for (before, refused) in [(9, None), (10, Some(RefusalReason::MalformedSignature))] {
        let list = "v1=00,".repeat(before) + "v1=" + &hmac("one", BODY);
        let call = Call { secrets: &["one"], headers: &[("x-sig", &list)], ..Call::default() };
        assert_eq!(refusal_of(&scheme(block), &call), refused);
    }
}

#[test]
fn basic_credentials_are_compared_whole() {
    let basic = scheme("[webhook.verify]\nscheme = \"basic\"\n");
    for (header, refused) in [
        ("Basic YWRhOnB3", None),
        ("Basic YWRhOnB3eA==", Some(RefusalReason::Mismatch)),
        ("Basic YWRhOnB3=", Some(RefusalReason::MalformedSignature)),
        ("Bearer YWRhOnB3", Some(RefusalReason::MalformedSignature)),
    ] {
        let call = Call { secrets: &["ada:pw"], headers: &[("authorization", header)], ..Call::default() };
        assert_eq!(refusal_of(&basic, &call), refused, "{header}");
    }
}
