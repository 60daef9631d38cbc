//! One pass splits a request into what is public and what is secret.

use std::sync::Arc;

use async_trait::async_trait;
use nora_provider_sdk::{Connection, Context, FieldProblem, Manifest, Outcome, Provider};
use serde_json::json;

use crate::support::{ACME, DATABASE, FEED, VAULT, entry, entry_of, options, parse, provider, refusal, secret};

#[test]
fn secrets_are_taken_out_of_the_configuration() {
    let config = json!({ "signing_secret": "hush", "channel": "#alerts", "port": 443, "verbose": false });
    let parsed = parse(&entry(ACME), "acme_12345678", &config, &[]).unwrap();
    assert_eq!(
        serde_json::Value::Object(parsed.config),
        json!({ "channel": "#alerts", "port": 443, "verbose": false })
    );
    let secrets: Vec<_> =
        parsed.secrets.iter().map(|(field, secret)| (field.as_str(), secret.expose().to_owned())).collect();
    assert_eq!(secrets, [("api_token", "acme_12345678".to_owned()), ("signing_secret", "hush".to_owned())]);
}

#[test]
fn a_hint_never_refuses_a_token() {
    for token in ["x", "acme_UPPER", "an entirely new format: 2031/~"] {
        assert!(parse(&entry(ACME), token, &json!({}), &[]).is_ok(), "{token}");
    }
}

#[test]
fn a_token_is_required_where_it_is_not_optional() {
    assert_eq!(refusal(&entry(ACME), "", &json!({}), &[]), ["/token is required"]);
    let given = entry(ACME).parse(Some(secret("")), serde_json::Map::new(), &[]).unwrap_err();
    assert_eq!((given.len(), given[0].pointer.as_str()), (1, "/token"), "an empty token is none");
    let config = json!({ "host": "box.example", "client_id": "me", "client_secret": "hush" });
    assert!(parse(&entry(VAULT), "", &config, &[]).unwrap().secrets.get("password").is_none());
}

#[test]
fn a_provider_without_a_token_takes_none() {
    let config = json!({ "feed_url": "https://feed.example/news" });
    assert_eq!(refusal(&entry(FEED), "hush", &config, &[]), ["/token is not taken by this provider"]);
    assert!(parse(&entry(FEED), "", &config, &[]).unwrap().secrets.is_empty());
    let empty = entry(FEED).parse(Some(secret("")), crate::support::object(&config), &[]);
    assert!(empty.is_ok(), "a form may send an empty one");
}

#[test]
fn the_token_is_no_field_of_the_configuration() {
    let refused = refusal(&entry(ACME), "t", &json!({ "api_token": "t" }), &[]);
    assert_eq!(refused, ["/config has fields this provider does not know: api_token"]);
}

#[test]
fn an_empty_text_counts_as_left_out() {
    let config = json!({ "channel": "", "base_url": "", "signing_secret": "", "contact": "", "region": "eu" });
    let parsed = parse(&entry(ACME), "t", &config, &[]).unwrap();
    assert_eq!(serde_json::Value::Object(parsed.config), json!({ "region": "eu" }));
    assert!(!parsed.secrets.contains("signing_secret"));
    let refused = refusal(&entry(DATABASE), "pw", &json!({ "wallet": "", "host": "" }), &[]);
    assert_eq!(refused, ["/config/wallet is required", "/config/host is required"]);
    assert_eq!(refusal(&entry(ACME), "t", &json!({ "made_up": "" }), &[]).len(), 1, "not where nobody knows the field");
}

#[test]
fn kept_secrets_count_as_present() {
    let entry = entry(DATABASE);
    let config = json!({ "host": "db.example" });
    assert_eq!(refusal(&entry, "", &config, &[]), ["/config/wallet is required", "/token is required"]);
    assert_eq!(refusal(&entry, "", &config, &["wallet"]), ["/token is required"]);
    assert_eq!(refusal(&entry, "", &config, &["password"]), ["/config/wallet is required"]);
    let parsed = parse(&entry, "", &config, &["password", "wallet"]).unwrap();
    assert!(parsed.secrets.is_empty(), "what is kept is not repeated");
    assert_eq!(
        refusal(&entry, "", &json!({}), &["password", "wallet", "host"]),
        [""; 0],
        "whoever says so is believed"
    );
}

#[test]
fn a_new_secret_stands_beside_kept_ones() {
    let config = json!({ "host": "db.example", "wallet": "{}" });
    let parsed = parse(&entry(DATABASE), "", &config, &["password"]).unwrap();
    assert_eq!(parsed.secrets.fields().map(ToString::to_string).collect::<Vec<_>>(), ["wallet"]);
}

#[test]
fn a_field_may_be_required_by_another() {
    let entry = entry(VAULT);
    let config = json!({ "host": "box.example", "mode": "sealed" });
    assert_eq!(refusal(&entry, "pw", &config, &[]), ["/config/unseal_key is required"]);
    assert_eq!(refusal(&entry, "pw", &config, &["unseal_key"]), [""; 0]);
    assert_eq!(refusal(&entry, "pw", &json!({ "host": "box.example" }), &[]), [""; 0], "the default asks for nothing");
}

#[test]
fn one_of_several_ways_is_complete() {
    let entry = entry(VAULT);
    let ways = ["/token needs one of: `password`; `client_id` with `client_secret`"];
    assert_eq!(refusal(&entry, "", &json!({ "host": "box.example" }), &[]), ways);
    assert_eq!(refusal(&entry, "", &json!({ "host": "box.example", "client_id": "me" }), &[]), ways);
    assert_eq!(refusal(&entry, "", &json!({ "host": "box.example" }), &["client_secret"]), ways);
    for (token, config, kept) in [
        ("pw", json!({ "host": "box.example" }), &[][..]),
        ("", json!({ "host": "box.example" }), &["password"]),
        ("", json!({ "host": "box.example", "client_id": "me" }), &["client_secret"]),
        ("", json!({ "host": "box.example", "client_id": "me", "client_secret": "hush" }), &[]),
    ] {
        assert_eq!(refusal(&entry, token, &config, kept), [""; 0], "{config} {kept:?}");
    }
}

#[test]
fn everything_wrong_is_said_at_once() {
    let config = json!({ "port": "many", "region": "moon", "base_url": "https://127.0.0.1", "made_up": 1 });
    let mut pointers: Vec<_> =
        parse(&entry(ACME), "a\nb", &config, &[]).unwrap_err().into_iter().map(|violation| violation.pointer).collect();
    pointers.sort_unstable();
    assert_eq!(pointers, ["/config", "/config/base_url", "/config/port", "/config/region", "/token"]);
}

/// A provider that finds fault with everything.
struct Picky(Arc<dyn Provider>);

#[async_trait]
impl Provider for Picky {
    fn manifest(&self) -> &Manifest {
        self.0.manifest()
    }

    fn check(&self, connection: &Connection<'_>) -> Vec<FieldProblem> {
        let problem =
            |field: &str, detail: &str| FieldProblem { field: field.parse().unwrap(), detail: detail.to_owned() };
        let given = ["api_token", "channel"].into_iter().filter(|field| connection.is_set(field));
        given.map(|field| problem(field, "is out of fashion")).collect()
    }

    async fn test(&self, _: &Connection<'_>, _: &dyn Context) -> Outcome {
        Outcome::verified(None)
    }
}

#[test]
fn a_provider_has_the_last_word() {
    let picky = entry_of(Arc::new(Picky(provider(ACME))), &options());
    let refused = refusal(&picky, "t", &json!({ "channel": "#a" }), &[]);
    assert_eq!(refused, ["/token is out of fashion", "/config/channel is out of fashion"]);
    let refused = refusal(&picky, "t", &json!({ "channel": "#a", "port": 0 }), &[]);
    assert_eq!(refused, ["/config/port must be at least 1"], "and is not asked about what the schema refuses");
    assert_eq!(refusal(&picky, "", &json!({}), &["api_token"]), [""; 0]);
}
