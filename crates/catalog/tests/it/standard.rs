//! The manifests people meet first, through the real parser.

use nora_provider_sdk::Manifest;
use serde_json::{Value, json};

use crate::support::{catalog, entry, parse, provider};

const SLACK: &str = include_str!("../../../providers-standard/manifests/slack.toml");
const OTHERS: [&str; 3] = [
    include_str!("../../../providers-standard/manifests/github.toml"),
    include_str!("../../../providers-standard/manifests/gitlab.toml"),
    include_str!("../../../providers-standard/manifests/notion.toml"),
];

#[test]
fn the_reference_pages_connection_validates() {
    let parsed = parse(&entry(SLACK), "xoxb-your-slack-bot-token", &json!({ "channel": "#alerts" }), &[]).unwrap();
    assert_eq!(Value::Object(parsed.config), json!({ "channel": "#alerts" }));
    assert_eq!(parsed.secrets.get("bot_token").unwrap().expose(), "xoxb-your-slack-bot-token");
}

#[test]
fn the_reference_pages_item_is_there() {
    let catalog = catalog(OTHERS.iter().chain([&SLACK]).map(|text| provider(text)));
    let item: Value = serde_json::from_slice(&catalog.entry("slack").unwrap().item().body).unwrap();
    assert_eq!((&item["name"], &item["icon"]), (&json!("Slack"), &json!("slack")));
    assert_eq!((&item["category"], &item["auth_type"]), (&json!("communication"), &json!("token")));
    assert_eq!(item["config_schema"]["properties"]["channel"]["type"], "string");
    assert_eq!(item["enabled"], true);
}

#[test]
fn every_example_validates() {
    for text in OTHERS.iter().chain([&SLACK]) {
        let manifest = Manifest::parse("test.toml", text).unwrap();
        let mut values = manifest.example().unwrap().clone();
        let token = manifest.token().and_then(|field| values.remove(field.name.as_str()));
        let token = token.and_then(|token| token.as_str().map(str::to_owned)).unwrap_or_default();
        let config = values.into_iter().collect();
        assert!(parse(&entry(text), &token, &config, &[]).is_ok(), "{}", manifest.id());
    }
}
