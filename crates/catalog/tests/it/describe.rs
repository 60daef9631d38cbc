//! What a client sees of a provider.

use serde_json::{Value, json};

use crate::support::{ACME, FEED, VAULT, entry, json as parsed};

#[test]
fn an_item_has_every_field_of_the_contract() {
    let entry = entry(ACME);
    let item = parsed(entry.item());
    let members: Vec<&str> = item.as_object().unwrap().keys().map(String::as_str).collect();
    let mut expected = [
        "id",
        "name",
        "icon",
        "category",
        "description",
        "auth_type",
        "config_schema",
        "enabled",
        "docs_url",
        "capabilities",
        "credential_fields",
        "env",
        "mcp",
        "webhook",
    ];
    expected.sort_unstable();
    assert_eq!(members, expected);
    assert_eq!((&item["id"], &item["name"], &item["icon"]), (&json!("acme"), &json!("Acme"), &json!("acme")));
    assert_eq!((&item["category"], &item["auth_type"]), (&json!("productivity"), &json!("token")));
    assert_eq!(item["description"], "Reads and writes Acme tasks.");
    assert_eq!(item["docs_url"], "https://developers.acme.example/rest");
    assert_eq!((&item["enabled"], &item["capabilities"]), (&json!(true), &json!(["read"])));
    assert_eq!(&item["config_schema"], entry.manifest().config_schema());
    assert_eq!((&item["mcp"], &item["webhook"]), (&Value::Null, &Value::Null));
}

#[test]
fn the_token_is_the_first_credential() {
    let item = parsed(entry(ACME).item());
    let credentials = item["credential_fields"].as_array().unwrap();
    let places: Vec<_> = credentials.iter().map(|field| (field["name"].as_str(), field["in"].as_str())).collect();
    let expected = [("api_token", "token"), ("signing_secret", "config"), ("certificate", "config")];
    assert_eq!(places, expected.map(|(name, place)| (Some(name), Some(place))));
    let token = json!({
        "name": "api_token",
        "title": "API token",
        "description": "From your profile.",
        "in": "token",
        "secret": true,
        "required": true,
        "multiline": false,
        "hint": "^acme_[a-z0-9]{8}$",
        "placeholder": "acme_...",
    });
    assert_eq!(credentials[0], token);
    assert_eq!((&credentials[2]["multiline"], &credentials[2]["required"]), (&json!(true), &json!(false)));
    assert!(item["config_schema"]["properties"].get("api_token").is_none());
}

#[test]
fn variables_name_their_fields() {
    let item = parsed(entry(ACME).item());
    assert_eq!(
        item["env"],
        json!([
            { "name": "ACME_TOKEN", "field": "api_token", "secret": true },
            { "name": "ACME_SIGNING_SECRET", "field": "signing_secret", "secret": true },
            { "name": "ACME_CERTIFICATE", "field": "certificate", "secret": true },
            { "name": "ACME_URL", "field": "base_url", "secret": false },
            { "name": "ACME_CHANNEL", "field": "channel", "secret": false },
        ])
    );
    assert_eq!(parsed(entry(VAULT).item())["env"], json!([]));
}

#[test]
fn without_a_token_there_are_no_credentials() {
    let item = parsed(entry(FEED).item());
    assert_eq!((&item["credential_fields"], &item["auth_type"]), (&json!([]), &json!("none")));
}

#[test]
fn servers_and_webhooks_are_described() {
    let text = ACME.to_owned()
        + r#"
[mcp]
url = "https://mcp.acme.example/"
headers = { Authorization = "Bearer {api_token}" }
docs_url = "https://developers.acme.example/mcp"

[webhook]
delivery_id = { header = "X-Delivery" }

[webhook.verify]
scheme = "hmac"
algorithm = "sha256"
header = "X-Signature"
"#;
    let entry = entry(&text);
    let item = parsed(entry.item());
    assert_eq!(Some(&item["mcp"]), entry.manifest().mcp_description().as_ref());
    assert_eq!(Some(&item["webhook"]), entry.manifest().webhook_description().as_ref());
    assert_eq!(item["webhook"]["verification"][0]["scheme"], "hmac");
    assert!(item["mcp"].is_object());
}
