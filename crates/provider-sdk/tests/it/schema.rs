//! The schema of `config`.

use jsonschema::PatternOptions;
use serde_json::{Value, json};

use crate::support::{HEAD, TEST, TOKEN, manifest};

const FIELDS: &str = r#"
[[fields]]
name = "site"
title = "Site"
description = "Where your account lives."
type = "base_url"
required = true
examples = ["https://eu.acme.example"]

[[fields]]
name = "deployment"
title = "Deployment"
type = "choice"
options = ["cloud", "server"]
default = "cloud"

[[fields]]
name = "email"
title = "E-mail"
type = "email"
required_when = { deployment = "cloud" }

[[fields]]
name = "license"
title = "License"
secret = true
required_when = { deployment = "server" }

[[fields]]
name = "port"
title = "Port"
type = "integer"
min = 1
max = 65535
default = 443

[[fields]]
name = "project"
title = "Project"
pattern = '^[A-Z]{2,4}$'
max_length = 4
deprecated = true
placeholder = "ABC"

[[fields]]
name = "shop"
title = "Shop"
type = "host_under"
domains = ["shops.acme.example"]

[[fields]]
name = "team"
title = "Team"
type = "subdomain"
domains = ["acme.example"]

[[fields]]
name = "kubeconfig"
title = "Kubeconfig"
type = "yaml"
"#;

fn schema() -> Value {
    manifest(&format!("{HEAD}{TOKEN}{FIELDS}{TEST}")).config_schema().clone()
}

fn is_valid(config: &Value) -> bool {
    let schema = schema();
    let options = jsonschema::draft202012::options();
    let options = options.should_validate_formats(true).with_pattern_options(PatternOptions::regex());
    options.build(&schema).unwrap().is_valid(config)
}

#[test]
fn it_is_a_draft_2020_12_schema_of_every_field_but_the_token() {
    let schema = schema();
    jsonschema::draft202012::meta::validate(&schema).unwrap();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert_eq!(schema["additionalProperties"], false);
    assert_eq!(schema["required"], json!(["site"]));
    assert_eq!(schema["properties"].get("api_token"), None);
    let properties = &schema["properties"];
    assert_eq!(properties["site"]["x-destination"], true);
    assert_eq!(properties["site"]["format"], "uri");
    assert_eq!(properties["site"]["description"], "Where your account lives.");
    assert_eq!(properties["license"]["writeOnly"], true);
    assert_eq!(properties["email"].get("writeOnly"), None);
    assert_eq!(properties["deployment"]["enum"], json!(["cloud", "server"]));
    assert_eq!(properties["deployment"]["default"], "cloud");
    assert_eq!(properties["port"]["maximum"], 65535);
    assert_eq!(properties["project"]["pattern"], "^[A-Z]{2,4}$");
    assert_eq!(properties["project"]["deprecated"], true);
    assert_eq!(properties["team"]["x-suffix"], ".acme.example");
}

#[test]
fn a_default_counts_as_the_value_of_an_absent_field() {
    let with = |more: Value| {
        let mut config = json!({ "site": "https://eu.acme.example" });
        config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        is_valid(&config)
    };
    assert!(!with(json!({})), "cloud by default, so an e-mail address is needed");
    assert!(with(json!({ "email": "ada@acme.example" })));
    assert!(!with(json!({ "deployment": "server" })), "a server needs a license");
    assert!(with(json!({ "deployment": "server", "license": "x" })));
    assert!(!with(json!({ "deployment": "cloud" })));
}

#[test]
fn values_are_held_to_their_types() {
    let valid = json!({ "site": "https://eu.acme.example", "email": "ada@acme.example" });
    assert!(is_valid(&valid));
    for (field, value, expected) in [
        ("port", json!(8443), true),
        ("port", json!(0), false),
        ("port", json!("443"), false),
        ("project", json!("AB"), true),
        ("project", json!("ab"), false),
        ("project", json!("AB\nC"), false),
        ("shop", json!("mine.shops.acme.example"), true),
        ("shop", json!("shops.acme.example"), false),
        ("shop", json!("evil.example"), false),
        ("shop", json!("evil.example/.shops.acme.example"), false),
        ("team", json!("a-team"), true),
        ("team", json!("evil.test#"), false),
        ("email", json!("ada"), false),
        ("license", json!("a\tb"), false),
        ("license", json!("a\u{0}b"), false),
        ("kubeconfig", json!("a:\n\tb: c\n"), true),
        ("kubeconfig", json!("a\u{0}"), false),
        ("unknown", json!("x"), false),
    ] {
        let mut config = valid.clone();
        config[field] = value.clone();
        assert_eq!(is_valid(&config), expected, "{field} = {value}");
    }
}
