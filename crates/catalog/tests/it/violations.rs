//! Each kind of fault has its place and a sentence, and no sentence repeats a value.

use nora_catalog::{Options, Violation};
use nora_kernel::address::NetworkPolicy;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{ACME, FEED, entry, entry_of, options, parse, provider, refusal};

#[track_caller]
fn check(field: &str, value: &Value, detail: &str) {
    let refused = refusal(&entry(ACME), "t", &json!({ field: value }), &[]);
    assert_eq!(refused, [format!("/config/{field} {detail}")], "{value}");
}

#[track_caller]
fn accept(field: &str, value: &Value) {
    assert_eq!(refusal(&entry(ACME), "t", &json!({ field: value }), &[]), [""; 0], "{value}");
}

#[test]
fn values_have_their_type() {
    for value in [json!(null), json!([]), json!({}), json!(7), json!(true)] {
        check("channel", &value, "has the wrong type");
        check("signing_secret", &value, "has the wrong type");
    }
    for value in [json!("7"), json!(7.5), json!(null)] {
        check("port", &value, "has the wrong type");
    }
    check("verbose", &json!("true"), "has the wrong type");
    accept("verbose", &json!(true));
}

#[test]
fn choices_are_listed() {
    check("region", &json!("moon"), "must be one of [\"eu\",\"us\"]");
    accept("region", &json!("us"));
}

#[test]
fn texts_match_their_pattern() {
    for value in ["alerts", "#Alerts", "#al erts", "x#alerts", "#"] {
        check("channel", &json!(value), "must match ^#[a-z]+$");
    }
    accept("channel", &json!("#alerts"));
    assert_eq!(refusal(&entry(ACME), "t", &json!({ "channel": "#alerts\n" }), &[]).len(), 2, "nor is a line its end");
}

#[test]
fn formats_are_checked() {
    check("contact", &json!("nobody"), "must be a valid email");
    check("project", &json!("1234"), "must be a valid uuid");
    accept("contact", &json!("somebody@acme.example"));
    accept("project", &json!("a1b2c3d4-e5f6-7890-abcd-ef1234567890"));
    accept("homepage", &json!("https://acme.example/a?b#c"));
    assert!(!refusal(&entry(ACME), "t", &json!({ "homepage": "javascript:alert(1)" }), &[]).is_empty());
}

#[test]
fn numbers_lie_in_their_range() {
    check("port", &json!(0), "must be at least 1");
    check("port", &json!(65536), "must be at most 65535");
    accept("port", &json!(1));
    accept("port", &json!(65535));
}

#[test]
fn texts_have_their_length() {
    check("initials", &json!("x"), "must have at least 2 characters");
    check("initials", &json!("abcde"), "must have at most 4 characters");
    accept("initials", &json!("éé"));
    accept("initials", &json!("éééé"));
    accept("notes", &json!("x".repeat(65_536)));
    check("notes", &json!("x".repeat(65_537)), "is longer than 65536 bytes");
}

#[test]
fn unknown_fields_are_named_if_they_look_like_names() {
    let refused = refusal(&entry(ACME), "t", &json!({ "chanel": "#a", "prot": 1 }), &[]);
    assert_eq!(refused, ["/config has fields this provider does not know: chanel, prot"]);
    let refused = refusal(&entry(ACME), "t", &json!({ "ghp_AbCdEf": 1 }), &[]);
    assert_eq!(refused, ["/config has fields this provider does not know: (not a field name)"]);
    let many: Value = (b'a'..=b'z').map(|name| (format!("q{}", char::from(name)), json!(1))).collect();
    let refused = refusal(&entry(ACME), "t", &many, &[]);
    assert_eq!(refused, ["/config has fields this provider does not know: qa, qb, qc, qd, qe"]);
}

#[test]
fn credentials_go_nowhere_but_the_internet() {
    for url in
        ["https://127.0.0.1", "https://10.0.0.1/api", "https://localhost", "https://[::1]", "https://169.254.169.254"]
    {
        check("base_url", &json!(url), "lies in a network that this installation does not call");
    }
    check("base_url", &json!("http://api.acme.example"), "must be an https URL");
    check("server", &json!("192.168.1.1"), "lies in a network that this installation does not call");
    check("server", &json!("metadata.google.internal"), "lies in a network that this installation does not call");
    accept("base_url", &json!("https://acme.example:8443/api"));
    accept("server", &json!("db.acme.example"));
}

#[test]
fn an_operator_opens_networks() {
    let policy = NetworkPolicy::third_parties("10.0.0.0/8".parse().unwrap());
    let entry = entry_of(provider(ACME), &Options { policy, ..options() });
    for config in [json!({ "base_url": "http://10.0.0.1/api" }), json!({ "server": "10.1.2.3" })] {
        assert_eq!(refusal(&entry, "t", &config, &[]), [""; 0], "{config}");
    }
    let outside = json!({ "base_url": "https://192.168.1.1" });
    assert_eq!(refusal(&entry, "t", &outside, &[]).len(), 1);
}

#[test]
fn a_token_that_is_an_address_goes_nowhere_else_either() {
    let text = FEED.replace("auth_type = \"none\"", "auth_type = \"webhook_url\"");
    let entry = entry(&text);
    let refused = refusal(&entry, "https://127.0.0.1/hook", &json!({}), &[]);
    assert_eq!(refused, ["/token lies in a network that this installation does not call"]);
    assert_eq!(refusal(&entry, "https://hooks.example/hook", &json!({}), &[]), [""; 0]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn no_sentence_repeats_a_value(value in "[a-zA-Z0-9 _/:.\\\\@#?\\-]{7,40}[\u{1}-\u{1f}]?") {
        let fields = [
            "signing_secret", "certificate", "base_url", "team", "shop", "server", "channel", "region", "port", "verbose",
            "contact", "project", "homepage", "initials", "notes", "made_up",
        ];
        let config: Value = fields.iter().map(|field| ((*field).to_owned(), json!(value))).collect();
        let violations = parse(&entry(ACME), &format!("{value}\n"), &config, &[]).unwrap_err();
        prop_assert!(violations.len() > 5);
        for Violation { pointer, detail } in violations {
            prop_assert!(!detail.contains(value.trim()) && !pointer.contains(value.trim()), "{pointer} {detail}");
        }
    }
}
