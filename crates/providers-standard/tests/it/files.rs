//! The files themselves.

use std::collections::BTreeSet;
use std::path::Path;

use nora_provider_sdk::Connection;
use serde_json::{Value, json};

fn on_disk() -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests");
    let entries = std::fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn every_file_is_listed() {
    let listed: BTreeSet<String> = nora_providers_standard::files().map(str::to_owned).collect();
    assert_eq!(listed, on_disk());
}

#[test]
fn a_file_is_named_after_its_provider() {
    for (provider, file) in nora_providers_standard::all().unwrap().iter().zip(nora_providers_standard::files()) {
        assert_eq!(format!("{}.toml", provider.manifest().id()), file);
    }
}

/// The list of requests that are not plain reads, for a reviewer to see.
#[test]
fn requests_that_could_change_something_are_explained() {
    let lines = nora_provider_testkit::suite::changing_requests(nora_providers_standard::all().unwrap());
    println!("{}", lines.join("\n"));
    assert!(lines.iter().any(|line| line.starts_with("slack: POST https://slack.com/api/auth.test")));
}

/// What the API reference shows.
#[test]
fn the_examples_of_the_reference_validate() {
    let providers = nora_providers_standard::all().unwrap();
    let find = |id: &str| providers.iter().find(|provider| provider.manifest().id().as_str() == id).unwrap();
    for (id, config) in [("slack", json!({ "channel": "#alerts" })), ("github", json!({}))] {
        let schema = find(id).manifest().config_schema();
        assert!(jsonschema::draft202012::new(schema).unwrap().is_valid(&config), "{id}");
    }
    let gitlab = find("gitlab").manifest();
    let description = gitlab.mcp_description().unwrap();
    assert_eq!(description["npmPackage"], "@modelcontextprotocol/server-gitlab");
    assert_eq!(description["docsUrl"], "https://github.com/modelcontextprotocol/servers/tree/main/src/gitlab");
    let notes = description["notes"].as_str().unwrap();
    assert!(notes.starts_with("Reference MCP server."), "{notes}");
    assert!(notes.contains("archived") && notes.contains("successor is GitLab's own server"), "{notes}");
    let slack = find("slack").manifest();
    let shown: Vec<Option<Value>> = vec![slack.webhook_description(), slack.mcp_description()];
    assert!(shown.iter().all(Option::is_some));
}

#[test]
fn the_default_connection_sets_the_plain_variables() {
    let providers = nora_providers_standard::all().unwrap();
    let slack = providers.iter().find(|provider| provider.manifest().id().as_str() == "slack").unwrap();
    let (config, secrets) = slack.manifest().split(slack.manifest().example().unwrap());
    let connection = Connection::new(slack.manifest(), &config, &secrets);
    let names = connection.variables(&"default".parse().unwrap());
    let names: Vec<String> = names.iter().map(|(name, _)| name.to_string()).collect();
    assert_eq!(names, ["SLACK_BOT_TOKEN", "SLACK_DEFAULT_CHANNEL"]);
}
