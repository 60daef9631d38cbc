//! Values that would lead a credential elsewhere if they were pasted into a URL.

use serde_json::json;

use crate::support::{ACME, entry, refusal};

const HOSTS: &[&str] = &[
    "evil.test#",
    "evil.test/",
    "evil.test\\",
    "acme@evil.test/",
    "..",
    "evil.test\n",
    "evil\t.test/",
    "evil%2etest%23",
    "a b",
    "аcme",
    "*",
    "evil.test/#",
    "evil.test/?",
    "evil.test:8443/",
    "127.0.0.1:5432/",
    "169.254.169.254/latest/#",
    "{team}",
    "http://evil.test/#",
];

#[test]
fn a_label_in_front_of_a_domain_is_one_label() {
    let entry = entry(ACME);
    let long = "a".repeat(300);
    for value in HOSTS.iter().chain(&["evil.test", "-acme", "acme-", "ACME", long.as_str(), &"a".repeat(64)]) {
        assert!(!refusal(&entry, "t", &json!({ "team": value }), &[]).is_empty(), "{value:?}");
    }
    for value in ["acme", "a", "0-9", &"a".repeat(63)] {
        assert_eq!(refusal(&entry, "t", &json!({ "team": value }), &[]), [""; 0], "{value:?}");
    }
}

#[test]
fn a_host_under_a_domain_is_under_it() {
    let entry = entry(ACME);
    let elsewhere = ["evil.test", "shops.acme.example", ".shops.acme.example", "evilshops.acme.example"];
    let tricks = ["a.shops.acme.example.evil.test", "a.shops.acme.example/", "evil.test#.shops.acme.example"];
    for value in HOSTS.iter().chain(&elsewhere).chain(&tricks) {
        assert!(!refusal(&entry, "t", &json!({ "shop": value }), &[]).is_empty(), "{value:?}");
    }
    for value in ["toys.shops.acme.example", "a.b.shops.acme.example"] {
        assert_eq!(refusal(&entry, "t", &json!({ "shop": value }), &[]), [""; 0], "{value:?}");
    }
}

#[test]
fn a_host_is_a_host_and_nothing_else() {
    let entry = entry(ACME);
    for value in
        HOSTS.iter().chain(&["evil.test:22", "0x7f000001", "2130706433", "127.1", "[::1]", "::1", "acme.onion"])
    {
        assert!(!refusal(&entry, "t", &json!({ "server": value }), &[]).is_empty(), "{value:?}");
    }
}

#[test]
fn a_base_url_is_written_plainly() {
    let entry = entry(ACME);
    for value in [
        "https://acme.example@evil.test",
        "https://evil.test\\@acme.example",
        "https://acme.example?x=",
        "https://acme.example#",
        "https://0x7f000001",
        "https://2130706433",
        "https://127.1",
        "https://аcme.example",
        "https://acme%2eexample",
        "https://acme.example:22",
        "https:acme.example",
        "//acme.example",
        "https://",
        "javascript:alert(1)",
        "https://ac\nme.example",
    ] {
        assert!(!refusal(&entry, "t", &json!({ "base_url": value }), &[]).is_empty(), "{value:?}");
    }
}
