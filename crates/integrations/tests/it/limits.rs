//! Sixty tests a minute for each key and each host, however the host is spelled and whoever asks.

use std::time::Duration;

use nora_integrations::{Candidate, Limited, TestError};
use nora_kernel::audit::Actor;
use nora_kernel::{AgentId, ApiKeyId, Caller};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Asked, World, caller, object, secret};

/// Whoever holds the key with this number.
fn holder(number: u128) -> Caller {
    Caller { actor: Actor::ApiKey(ApiKeyId::from_uuid(Uuid::from_u128(number))), ..caller() }
}

async fn ask(world: &World, who: &Caller, agent: AgentId, provider: &str, config: &Value) -> Result<(), Duration> {
    let candidate =
        Candidate { agent, provider: Some(provider.to_owned()), token: Some(secret("t")), config: object(config) };
    match world.connections.test_candidate(who, candidate).await {
        Ok(_) => Ok(()),
        Err(TestError::Limited(Limited { retry_after })) => Err(retry_after),
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn a_key_has_sixty_tests_a_minute() {
    let world = World::new();
    let agent = world.synced_agent().await;
    let me = holder(1);
    for host in 0..60 {
        let config = json!({ "host": format!("10.0.0.{host}") });
        assert_eq!(ask(&world, &me, agent, "database", &config).await, Ok(()));
    }
    world.wait(20);
    let elsewhere = json!({ "host": "10.0.1.1" });
    assert_eq!(ask(&world, &me, agent, "database", &elsewhere).await, Err(Duration::from_secs(40)));
    assert_eq!(world.probe.shown().len(), 60, "the third party is left alone");
    assert_eq!(ask(&world, &holder(2), agent, "database", &elsewhere).await, Ok(()));
    world.wait(40);
    assert_eq!(ask(&world, &me, agent, "database", &elsewhere).await, Ok(()));
}

#[tokio::test]
async fn a_host_is_tested_sixty_times_a_minute() {
    let world = World::new();
    let agent = world.synced_agent().await;
    let spellings = ["https://git.acme.example", "https://GIT.acme.example/", "https://git.acme.example:8443/api"];
    for (number, spelling) in (0..60).zip(spellings.iter().cycle()) {
        let config = json!({ "base_url": spelling });
        assert_eq!(ask(&world, &holder(number), agent, "github", &config).await, Ok(()), "{number}");
    }
    for config in [json!({ "base_url": "https://git.acme.example/other" }), json!({ "base_url": spellings[0] })] {
        assert_eq!(ask(&world, &holder(99), agent, "github", &config).await, Err(Duration::from_mins(1)), "{config}");
    }
    let same_host = json!({ "host": "Git.Acme.Example" });
    assert_eq!(
        ask(&world, &holder(99), agent, "hub", &same_host).await,
        Err(Duration::from_mins(1)),
        "another provider"
    );
    let other_host = json!({ "base_url": "https://git2.acme.example" });
    assert_eq!(ask(&world, &holder(99), agent, "github", &other_host).await, Ok(()));
    assert_eq!(ask(&world, &holder(99), agent, "github", &json!({})).await, Ok(()));
}

#[tokio::test]
async fn a_saved_connection_is_counted_too() {
    let world = World::new();
    let agent = world.synced_agent().await;
    let made = world.connect(agent, Asked::github("ghp")).await;
    for number in 0..30 {
        assert_eq!(ask(&world, &holder(number), agent, "github", &json!({})).await, Ok(()));
        world.connections.test(&holder(100 + number), agent, made.id).await.unwrap();
    }
    let lines = world.lines().await.len();
    let refused = world.connections.test(&holder(99), agent, made.id).await.unwrap_err();
    assert!(matches!(refused, TestError::Limited(Limited { retry_after }) if retry_after == Duration::from_mins(1)));
    assert_eq!(world.lines().await.len(), lines, "nothing is opened for a test that is not made");
}

#[tokio::test]
async fn what_is_refused_is_not_counted() {
    let world = World::new();
    let agent = world.synced_agent().await;
    for _ in 0..100 {
        let candidate =
            Candidate { agent, provider: Some("github".to_owned()), token: None, config: object(&json!({})) };
        let refused = world.connections.test_candidate(&holder(1), candidate).await;
        assert!(matches!(refused, Err(TestError::Candidate(_))), "{refused:?}");
    }
    assert_eq!(ask(&world, &holder(1), agent, "github", &json!({})).await, Ok(()));
}

#[tokio::test]
async fn a_test_that_is_refused_costs_no_other_host() {
    let world = World::new();
    let agent = world.synced_agent().await;
    for host in 0..60 {
        let config = json!({ "host": format!("10.0.0.{host}") });
        ask(&world, &holder(1), agent, "database", &config).await.unwrap();
    }
    for _ in 0..60 {
        ask(&world, &holder(1), agent, "database", &json!({ "host": "10.0.1.1" })).await.unwrap_err();
    }
    assert_eq!(ask(&world, &holder(2), agent, "database", &json!({ "host": "10.0.1.1" })).await, Ok(()));
}
