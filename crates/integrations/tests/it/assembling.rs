//! From integrations to what a runtime should have.

use nora_integrations::ports::PushedIntegration;
use nora_integrations::{Assembly, Integration, assemble, variable_names};
use nora_kernel::{IntegrationId, SecretMap};
use nora_testkit::samples::named;
use serde_json::json;
use uuid::Uuid;

use crate::support::{World, object, secret};

/// An integration and its secrets; `number` is its age.
fn one(
    number: u128,
    provider: &str,
    label: &str,
    config: &serde_json::Value,
    secrets: &[(&str, &str)],
) -> (Integration, SecretMap) {
    let secrets: SecretMap = secrets.iter().map(|(field, text)| (named(field), secret(text))).collect();
    let now = nora_kernel::Timestamp::from_microseconds(0);
    let integration = Integration {
        id: IntegrationId::from_uuid(Uuid::from_u128(number)),
        agent: nora_kernel::AgentId::from_uuid(Uuid::from_u128(1)),
        provider: named(provider),
        label: named(label),
        config: object(config),
        secret_fields: secrets.fields().cloned().collect(),
        readable: true,
        created_at: now,
        updated_at: now,
    };
    (integration, secrets)
}

fn github(number: u128, label: &str, token: &str) -> (Integration, SecretMap) {
    one(number, "github", label, &json!({}), &[("access_token", token)])
}

fn env(assembly: &Assembly) -> Vec<String> {
    assembly.env.iter().map(|(name, value)| format!("{name}={}", value.expose())).collect()
}

fn assembled(integrations: &[(Integration, SecretMap)]) -> Assembly {
    assemble(&World::new().connections.catalog, integrations)
}

#[test]
fn nothing_is_an_empty_state() {
    let assembly = assembled(&[]);
    assert!(assembly.env.is_empty() && assembly.integrations.is_empty() && assembly.conflicts.is_empty());
}

#[test]
fn an_integration_is_told_of_without_its_secrets() {
    let mut made =
        one(7, "github", "work", &json!({ "org": "acme" }), &[("access_token", "ghp"), ("signing_secret", "s")]);
    made.0.created_at = nora_kernel::Timestamp::from_microseconds(5);
    let assembly = assembled(&[made]);
    let expected = PushedIntegration {
        id: IntegrationId::from_uuid(Uuid::from_u128(7)),
        provider: named("github"),
        name: "GitHub".to_owned(),
        category: "developer-tools".to_owned(),
        auth_type: "token",
        label: named("work"),
        config: object(&json!({ "org": "acme" })),
        secret_fields: vec![named("access_token"), named("signing_secret")],
        capabilities: vec!["read".to_owned(), "write".to_owned()],
    };
    assert_eq!(assembly.integrations, [expected]);
}

#[test]
fn the_environment_is_in_order_of_names() {
    let config = json!({ "host": "10.0.0.5", "port": 5432, "tls": true });
    let assembly =
        assembled(&[github(1, "default", "ghp"), one(2, "database", "default", &config, &[("password", "pw")])]);
    let expected = [
        "DATABASE_HOST=10.0.0.5",
        "DATABASE_PASSWORD=pw",
        "DATABASE_PORT=5432",
        "DATABASE_TLS=require",
        "GITHUB_TOKEN=ghp",
    ];
    assert_eq!(env(&assembly), expected);
    let providers: Vec<_> = assembly.integrations.iter().map(|pushed| pushed.provider.as_str()).collect();
    assert_eq!(providers, ["github", "database"], "oldest first");
}

#[test]
fn a_label_is_appended_but_for_the_default_one() {
    let assembly = assembled(&[github(1, "default", "a"), github(2, "work", "b"), github(3, "prod-eu", "c")]);
    assert_eq!(env(&assembly), ["GITHUB_TOKEN=a", "GITHUB_TOKEN__PROD_EU=c", "GITHUB_TOKEN__WORK=b"]);
    assert!(assembly.conflicts.is_empty());
}

#[test]
fn the_older_one_keeps_a_name() {
    let hub = |number| one(number, "hub", "default", &json!({ "owner": "hub" }), &[("key", "hub")]);
    let assembly = assembled(&[github(1, "default", "ghp"), hub(2)]);
    assert_eq!(env(&assembly), ["GITHUB_ORG=hub", "GITHUB_TOKEN=ghp"], "only the contested name is lost");
    let conflicts: Vec<_> = assembly.conflicts.iter().map(|one| (one.name.as_str(), one.owner, one.loser)).collect();
    let id = |number| IntegrationId::from_uuid(Uuid::from_u128(number));
    assert_eq!(conflicts, [("GITHUB_TOKEN", id(1), id(2))]);
    assert_eq!(assembly.integrations.len(), 2, "it is connected all the same");

    let assembly = assembled(&[hub(1), github(2, "default", "ghp")]);
    assert_eq!(env(&assembly), ["GITHUB_ORG=hub", "GITHUB_TOKEN=hub"]);
    assert_eq!(assembly.conflicts[0].owner, id(1));
}

#[test]
fn what_is_not_active_is_left_out() {
    let mut lost = github(1, "default", "ghp");
    lost.0.readable = false;
    let mut unknown = github(2, "work", "ghp");
    unknown.0.provider = named("nobody");
    let disabled = one(3, "hub", "default", &json!({}), &[("key", "hub")]);
    let catalog = World::new().disabling(&["hub"]).connections.catalog;
    let assembly = assemble(&catalog, &[lost, unknown, disabled, github(4, "default", "kept")]);
    assert_eq!(env(&assembly), ["GITHUB_TOKEN=kept"]);
    assert_eq!((assembly.integrations.len(), assembly.conflicts.len()), (1, 0));
}

#[test]
fn names_are_known_without_the_secrets() {
    let catalog = World::new().connections.catalog;
    let full = json!({ "host": "10.0.0.5", "port": 5432, "tls": false });
    for made in [
        github(1, "default", "ghp"),
        github(2, "prod-eu", "ghp"),
        one(3, "database", "default", &full, &[("password", "pw")]),
        one(4, "database", "work", &json!({ "host": "h", "tls": true }), &[]),
        one(5, "feed", "default", &json!({ "feed_url": "" }), &[]),
    ] {
        let manifest = catalog.entry(made.0.provider.as_str()).unwrap().manifest();
        let mut names = variable_names(manifest, &made.0);
        names.sort_unstable();
        let pushed: Vec<_> = assemble(&catalog, &[made]).env.into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, pushed);
    }
}
