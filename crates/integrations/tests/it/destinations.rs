//! A credential is bound to where it is sent: no kept secret follows a change of destination.

use nora_integrations::{ChangeError, Integration};
use serde_json::{Value, json};

use crate::support::{Asked, World};

const ELSEWHERE: &str = "https://git.acme.example/api";

async fn connected(world: &World, provider: &str, token: &str, config: Value) -> Integration {
    let agent = world.agent().await;
    world.connect(agent, Asked { provider, ..Asked::github(token) }.with(config)).await
}

/// The pointers of the secrets that have to be sent again; nothing is changed then.
async fn required(world: &World, of: &Integration, token: &str, patch: Value) -> Vec<String> {
    let before = world.stored(of).await;
    match world.change(of, token, patch.clone()).await {
        Ok(_) => Vec::new(),
        Err(ChangeError::SecretRequired(violations)) => {
            assert_eq!(world.stored(of).await, before, "{patch}");
            violations.into_iter().map(|violation| violation.pointer).collect()
        }
        Err(error) => panic!("{patch}: {error}"),
    }
}

#[tokio::test]
async fn every_kept_secret_is_named() {
    let world = World::new();
    let made = connected(&world, "github", "ghp", json!({ "signing_secret": "hush" })).await;
    let moved = || json!({ "base_url": ELSEWHERE });
    assert_eq!(required(&world, &made, "", moved()).await, ["/token", "/config/signing_secret"]);
    assert_eq!(required(&world, &made, "ghp", moved()).await, ["/config/signing_secret"]);
    let resent = json!({ "base_url": ELSEWHERE, "signing_secret": "hush" });
    assert_eq!(required(&world, &made, "", resent.clone()).await, ["/token"]);
    assert_eq!(required(&world, &made, "ghp", resent).await, [""; 0]);
    assert_eq!(world.stored(&made).await.integration.config["base_url"], ELSEWHERE);
}

#[tokio::test]
async fn a_secret_that_goes_away_need_not_be_sent() {
    let world = World::new();
    let made = connected(&world, "github", "ghp", json!({ "signing_secret": "hush" })).await;
    let patch = json!({ "base_url": ELSEWHERE, "signing_secret": null });
    assert_eq!(required(&world, &made, "new", patch).await, [""; 0]);
    assert_eq!(world.secrets(&made).await, ["access_token=new"]);
}

#[tokio::test]
async fn a_way_back_is_a_change_too() {
    let world = World::new();
    let made = connected(&world, "github", "ghp", json!({ "base_url": ELSEWHERE })).await;
    for patch in
        [json!({ "base_url": null }), json!({ "base_url": "" }), json!({ "base_url": "https://api.github.example" })]
    {
        assert_eq!(required(&world, &made, "", patch).await, ["/token"]);
    }
    assert_eq!(required(&world, &made, "", json!({ "base_url": ELSEWHERE, "org": "acme" })).await, [""; 0]);
}

#[tokio::test]
async fn other_fields_change_without_secrets() {
    let world = World::new();
    let made = connected(&world, "database", "pw", json!({ "host": "10.0.0.5" })).await;
    assert_eq!(required(&world, &made, "", json!({ "port": 5433 })).await, [""; 0]);
    assert_eq!(required(&world, &made, "", json!({ "host": "10.0.0.6" })).await, ["/token"]);
    assert_eq!(required(&world, &made, "pw", json!({ "host": "10.0.0.6" })).await, [""; 0]);
}

#[tokio::test]
async fn where_nothing_is_secret_everything_may_move() {
    let world = World::new();
    let made = connected(&world, "feed", "", json!({ "feed_url": "https://feed.example" })).await;
    assert_eq!(required(&world, &made, "", json!({ "feed_url": "https://other.example" })).await, [""; 0]);
    let agent = made.agent;
    let asked = Asked { provider: "cache", ..Asked::github("") }.with(json!({ "host": "10.0.0.5" }));
    let cache = world.connect(agent, asked).await;
    assert_eq!(required(&world, &cache, "", json!({ "host": "10.0.0.6" })).await, [""; 0]);
}

#[tokio::test]
async fn a_secret_place_takes_no_other_secret_along() {
    let world = World::new();
    let made = connected(&world, "hook", "https://hook.example/a", json!({ "password": "hush" })).await;
    assert_eq!(required(&world, &made, "https://evil.example/b", json!({})).await, ["/config/password"]);
    assert_eq!(required(&world, &made, "", json!({ "password": "new" })).await, [""; 0]);
    assert_eq!(required(&world, &made, "https://hook.example/b", json!({ "password": "newer" })).await, [""; 0]);
}

#[tokio::test]
async fn secrets_that_may_open_again_do_not_follow_either() {
    let world = World::new();
    let made = connected(&world, "cache", "pw", json!({ "host": "10.0.0.5" })).await;
    world.vault.loses(made.id.as_uuid());
    world.settle().await;
    assert!(!world.stored(&made).await.integration.readable);
    assert_eq!(required(&world, &made, "", json!({ "host": "10.0.0.6" })).await, ["/token"]);
    assert_eq!(required(&world, &made, "again", json!({ "host": "10.0.0.6" })).await, [""; 0]);
}
