//! What a secret may hold: any text, but nothing that breaks out of where it stands.

use serde_json::json;

use crate::support::{ACME, DATABASE, entry, parse, refusal};

#[test]
fn a_token_is_one_line() {
    for token in ["a\nb", "a\r\nb", "a\tb", "a\0b", "\u{7f}", "a\u{85}b", "a\u{1b}[31m"] {
        assert_eq!(refusal(&entry(ACME), token, &json!({}), &[]), ["/token holds control characters"], "{token:?}");
    }
}

#[test]
fn a_secret_of_one_line_is_one_line() {
    for value in ["a\nb", "a\0b"] {
        let refused = refusal(&entry(ACME), "t", &json!({ "signing_secret": value }), &[]);
        assert!(refused.contains(&"/config/signing_secret holds control characters".to_owned()), "{refused:?}");
    }
}

#[test]
fn a_document_has_lines_and_tabs() {
    let pem = "-----BEGIN X-----\r\n\tAAAA\n-----END X-----\n";
    let parsed = parse(&entry(ACME), "t", &json!({ "certificate": pem }), &[]).unwrap();
    assert_eq!(parsed.secrets.get("certificate").unwrap().expose(), pem);
    for hidden in ["\0", "\u{1b}", "\u{7f}", "\u{9b}"] {
        let refused = refusal(&entry(ACME), "t", &json!({ "certificate": format!("{pem}{hidden}") }), &[]);
        assert!(
            refused.contains(&"/config/certificate holds control characters".to_owned()),
            "{hidden:?}: {refused:?}"
        );
    }
}

#[test]
fn documents_are_what_they_say() {
    let wallet = |text: &str| refusal(&entry(DATABASE), "pw", &json!({ "host": "db.example", "wallet": text }), &[]);
    assert_eq!(wallet("{\n\t\"a\": 1\n}"), [""; 0]);
    assert_eq!(wallet("{"), ["/config/wallet must be a JSON document"]);
    let refused = refusal(&entry(ACME), "t", &json!({ "certificate": "MIIB" }), &[]);
    assert_eq!(refused, ["/config/certificate must be PEM text, with its BEGIN and END lines"]);
}

#[test]
fn lengths_end_where_they_are_said_to() {
    let token = |length: usize| refusal(&entry(ACME), &"x".repeat(length), &json!({}), &[]);
    assert_eq!(token(16_384), [""; 0]);
    assert_eq!(token(16_385), ["/token is longer than 16384 bytes"]);
    assert_eq!(
        refusal(&entry(ACME), &"é".repeat(8_193), &json!({}), &[]),
        ["/token is longer than 16384 bytes"],
        "bytes, not characters"
    );

    let secret = |length: usize| refusal(&entry(ACME), "t", &json!({ "signing_secret": "x".repeat(length) }), &[]);
    assert_eq!(secret(65_536), [""; 0]);
    assert_eq!(secret(65_537), ["/config/signing_secret is longer than 65536 bytes"]);
}

#[test]
fn a_document_in_place_of_a_token_may_be_longer() {
    let text = DATABASE.replace("title = \"Password\"", "title = \"Key file\"\ntype = \"json\"");
    let config = json!({ "host": "db.example", "wallet": "{}" });
    let token = |length: usize| refusal(&entry(&text), &format!("\"{}\"", "x".repeat(length - 2)), &config, &[]);
    assert_eq!(token(65_536), [""; 0]);
    assert_eq!(token(65_537), ["/token is longer than 65536 bytes"]);
}

#[test]
fn what_a_shell_would_read_is_only_text() {
    for value in ["$(touch /pwned)", "`touch /pwned`", "a;touch /pwned", "a'; touch /pwned; '", "a\"; touch /pwned; \""]
    {
        let parsed = parse(&entry(ACME), value, &json!({ "signing_secret": value }), &[]).unwrap();
        assert_eq!(parsed.secrets.get("api_token").unwrap().expose(), value);
        assert_eq!(parsed.secrets.get("signing_secret").unwrap().expose(), value);
    }
    for value in ["a\0b", &"x".repeat(131_073)] {
        assert!(parse(&entry(ACME), value, &json!({}), &[]).is_err());
    }
}
