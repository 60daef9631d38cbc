//! Changing: a merge patch over what is there, and secrets that stay unless they are named.

use std::time::Duration;

use nora_catalog::Violation;
use nora_integrations::{ChangeError, ChangeIntegration, Integration, SecretsError};
use nora_kernel::audit::{Action, Resource, ResourceKind};
use nora_kernel::{Caller, Clock as _};
use nora_testkit::samples::named;
use serde_json::{Value, json};

use crate::support::{Asked, Health, World, admin, caller, object, secret};

/// A GitHub connection with both its secrets.
async fn connected(world: &World) -> Integration {
    let agent = world.synced_agent().await;
    world.connect(agent, Asked::github("ghp").with(json!({ "org": "acme", "signing_secret": "hush" }))).await
}

fn config(integration: &Integration) -> Value {
    Value::Object(integration.config.clone())
}

#[tokio::test]
async fn a_new_token_leaves_the_rest() {
    let world = World::new();
    let made = connected(&world).await;
    world.wait(1);
    let changed = world.change(&made, "new", json!({})).await.unwrap();
    assert_eq!((&changed.config, changed.updated_at), (&made.config, world.clock.now()));
    assert_eq!(world.secrets(&made).await, ["access_token=new", "signing_secret=hush"]);
    let stored = world.stored(&made).await;
    assert_eq!((stored.integration, stored.secrets_version), (changed, 2));
}

#[tokio::test]
async fn a_change_is_pushed_like_a_new_connection() {
    let world = World::new();
    let made = connected(&world).await;
    world.settle().await;
    let before = world.record(made.agent).await.desired;
    world.change(&made, "new", json!({ "org": "other" })).await.unwrap();
    assert_eq!(world.record(made.agent).await.desired, before + 1);
    world.settle().await;
    assert_eq!(world.env(), ["GITHUB_ORG=other", "GITHUB_SIGNING_SECRET=hush", "GITHUB_TOKEN=new"]);
}

#[tokio::test]
async fn the_line_says_who_changed_it() {
    let world = World::new();
    let made = connected(&world).await;
    let by = admin();
    let change = ChangeIntegration { agent: made.agent, id: made.id, token: Some(secret("new")), config: None };
    world.connections.change(&by, change).await.unwrap();
    let line = world.last_line().await;
    assert_eq!((line.action, &line.actor, line.request), (Action::IntegrationUpdated, &by.actor, Some(by.request)));
    assert_eq!(line.resource, Resource::new(ResourceKind::Integration, made.id));
    assert_eq!((line.workspace.as_str(), line.agent), ("alpha", Some(made.agent)));
}

#[tokio::test]
async fn absent_keeps_a_value_replaces_and_null_removes() {
    let world = World::new();
    let agent = world.agent().await;
    let asked = Asked { provider: "database", ..Asked::github("pw") };
    let made = world.connect(agent, asked.with(json!({ "host": "10.0.0.5", "port": 5432, "tls": true }))).await;
    let changed = world.change(&made, "", json!({ "port": 6432, "tls": null })).await.unwrap();
    assert_eq!(config(&changed), json!({ "host": "10.0.0.5", "port": 6432 }));
    let changed = world.change(&made, "", json!({})).await.unwrap();
    assert_eq!(config(&changed), json!({ "host": "10.0.0.5", "port": 6432 }));
    let changed = world.change(&made, "", json!({ "made_up": null, "tls": false })).await.unwrap();
    assert_eq!(config(&changed), json!({ "host": "10.0.0.5", "port": 6432, "tls": false }));
}

#[tokio::test]
async fn a_change_of_public_fields_leaves_the_sealed_ones_alone() {
    let world = World::new();
    let made = connected(&world).await;
    let (before, seals) = (world.stored(&made).await, world.vault.seals());
    world.change(&made, "", json!({ "org": "other" })).await.unwrap();
    let after = world.stored(&made).await;
    assert_eq!((after.secrets, after.secrets_version), (before.secrets, 1));
    assert_eq!(world.vault.seals(), seals);
}

#[tokio::test]
async fn null_takes_a_secret_away() {
    let world = World::new();
    let made = connected(&world).await;
    let changed = world.change(&made, "", json!({ "signing_secret": null })).await.unwrap();
    assert_eq!(changed.secret_fields, [named("access_token")]);
    assert_eq!(world.secrets(&made).await, ["access_token=ghp"]);
    world.settle().await;
    assert_eq!(world.env(), ["GITHUB_ORG=acme", "GITHUB_TOKEN=ghp"]);
}

#[tokio::test]
async fn the_last_secret_leaves_nothing_sealed() {
    let world = World::new();
    let agent = world.agent().await;
    let asked = Asked { provider: "cache", ..Asked::github("pw") }.with(json!({ "host": "10.0.0.5" }));
    let made = world.connect(agent, asked).await;
    let changed = world.change(&made, "", json!({ "password": null })).await.unwrap();
    assert_eq!((changed.secret_fields.len(), world.stored(&made).await.secrets), (0, None));
    assert_eq!(world.stored(&made).await.secrets_version, 2);
    let changed = world.change(&made, "back", json!({})).await.unwrap();
    assert_eq!(changed.secret_fields, [named("password")]);
    assert_eq!(world.secrets(&made).await, ["password=back"]);
}

#[tokio::test]
async fn the_result_is_validated_as_a_whole() {
    let world = World::new();
    let made = connected(&world).await;
    let before = (world.stored(&made).await, world.lines().await.len(), world.vault.seals());
    for (token, patch, pointer) in [
        ("", json!({ "org": 7 }), "/config/org"),
        ("", json!({ "org": { "deep": null } }), "/config/org"),
        ("", json!({ "made_up": 1 }), "/config"),
        ("", json!({ "signing_secret": "a\nb" }), "/config/signing_secret"),
        ("a\nb", json!({}), "/token"),
        ("new", json!({ "base_url": "https://127.0.0.1", "signing_secret": "new" }), "/config/base_url"),
    ] {
        match world.change(&made, token, patch.clone()).await {
            Err(ChangeError::Invalid(violations)) => assert_eq!(violations[0].pointer, pointer, "{patch}"),
            other => panic!("{patch}: {other:?}"),
        }
    }
    assert_eq!((world.stored(&made).await, world.lines().await.len(), world.vault.seals()), before);

    let agent = made.agent;
    let asked = Asked { provider: "database", ..Asked::github("pw") }.with(json!({ "host": "10.0.0.5" }));
    let database = world.connect(agent, asked).await;
    match world.change(&database, "new", json!({ "host": null })).await {
        Err(ChangeError::Invalid(violations)) => {
            let required = Violation { pointer: "/config/host".to_owned(), detail: "is required".to_owned() };
            assert_eq!(violations, [required]);
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn two_changes_at_once_do_not_overwrite_each_other() {
    let world = World::new();
    let made = connected(&world).await;
    let theirs = ChangeIntegration {
        agent: made.agent,
        id: made.id,
        token: None,
        config: Some(object(&json!({ "org": "theirs" }))),
    };
    *world.vault.interruption.lock().unwrap() = Some((world.connections.clone(), caller(), theirs));
    let refused = world.change(&made, "ours", json!({ "org": "ours" })).await.unwrap_err();
    assert!(matches!(refused, ChangeError::Conflict), "{refused}");
    assert_eq!(config(&world.stored(&made).await.integration), json!({ "org": "theirs" }));
    assert_eq!(world.secrets(&made).await, ["access_token=ghp", "signing_secret=hush"]);
}

#[tokio::test]
async fn no_two_changes_bear_the_same_time() {
    let world = World::new();
    let made = connected(&world).await;
    let first = world.change(&made, "", json!({ "org": "a" })).await.unwrap();
    let second = world.change(&made, "", json!({ "org": "b" })).await.unwrap();
    assert!(made.updated_at < first.updated_at && first.updated_at < second.updated_at);
    assert!(second.updated_at.since(made.updated_at) < Duration::from_millis(1));
}

#[tokio::test]
async fn kept_secrets_that_do_not_open_are_not_lost() {
    let world = World::new();
    let made = connected(&world).await;
    let before = world.stored(&made).await;
    world.vault.is(Health::Down);
    let refused = world.change(&made, "new", json!({})).await.unwrap_err();
    assert!(matches!(refused, ChangeError::Open(SecretsError::Unavailable(_))), "{refused}");
    world.vault.is(Health::Good);
    world.vault.loses(made.id.as_uuid());
    let refused = world.change(&made, "new", json!({})).await.unwrap_err();
    assert!(matches!(refused, ChangeError::Open(SecretsError::Unreadable)), "{refused}");
    assert_eq!(world.stored(&made).await, before);
    world.change(&made, "new", json!({ "signing_secret": "new" })).await.unwrap();
    assert_eq!(world.secrets(&made).await, ["access_token=new", "signing_secret=new"]);
}

#[tokio::test]
async fn a_disabled_providers_connection_is_not_changed() {
    let world = World::new();
    let made = connected(&world).await;
    let world = world.disabling(&["github"]);
    let refused = world.change(&made, "new", json!({})).await.unwrap_err();
    assert!(matches!(refused, ChangeError::ProviderDisabled), "{refused}");
}

#[tokio::test]
async fn what_is_not_there_for_a_caller_is_not_found() {
    let world = World::new();
    let made = connected(&world).await;
    let elsewhere = world.agent_at("http://10.0.0.2:9090").await;
    let stranger = Caller { workspace: named("beta"), ..caller() };
    for (who, agent) in [(stranger, made.agent), (caller(), elsewhere)] {
        let change = ChangeIntegration { agent, id: made.id, token: Some(secret("new")), config: None };
        let refused = world.connections.change(&who, change).await.unwrap_err();
        assert!(matches!(refused, ChangeError::NotFound), "{refused}");
    }
    world.remove(&made).await;
    let refused = world.change(&made, "new", json!({})).await.unwrap_err();
    assert!(matches!(refused, ChangeError::NotFound), "{refused}");
}
