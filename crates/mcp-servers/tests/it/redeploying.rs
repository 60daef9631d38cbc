//! Redeploys, step by step.

use std::time::Duration;

use nora_integrations::ports::FailureClass;
use nora_kernel::Clock as _;
use nora_mcp_servers::{DeploymentState, RedeployStep};

use crate::support::{LEASE, World, names};

#[tokio::test]
async fn a_runtime_is_handed_exactly_what_is_switched_on() {
    let world = World::new();
    let agent = world.agent().await;
    world.connect(&agent, "acme", "default", "a-1").await;
    world.connect(&agent, "beta", "default", "b-1").await;
    assert!(world.select(&agent, &["beta", "acme"]).await);
    assert_eq!(world.redeploy(&agent).await, RedeployStep::Applied);
    assert_eq!(world.handed(), ["KEY=a-1", "X-Key=b-1"]);
    assert_eq!(world.openings().await, 2, "one for the look, one for the redeploy");
    assert_eq!(world.found(&agent).await.deployed.servers, names(&["acme", "beta"]));

    assert!(world.select(&agent, &["beta"]).await);
    assert_eq!(world.redeploy(&agent).await, RedeployStep::Applied);
    assert_eq!(world.handed(), ["X-Key=b-1", "-acme"]);
    assert!(!world.select(&agent, &["beta"]).await);
    assert!(world.nothing_is_due().await);
}

#[tokio::test]
async fn a_failure_is_tried_again_later_and_what_was_handed_is_remembered() {
    let world = World::new();
    let agent = world.agent().await;
    world.connect(&agent, "acme", "default", "a-1").await;
    world.select(&agent, &["acme"]).await;
    world.fails_with(FailureClass::Timeout, Some(Duration::from_secs(3)));
    assert_eq!(world.redeploy(&agent).await, RedeployStep::Failed(FailureClass::Timeout));
    let found = world.found(&agent).await;
    assert_eq!(found.deployed.servers, names(&["acme"]), "it may have arrived");
    assert_eq!(found.redeploy.next_attempt_at, Some(world.clock.now().after(Duration::from_secs(3))));
    let status = world.servers.status(&world.caller(), agent.agent.id).await.unwrap().unwrap();
    assert_eq!((status.state, status.redeploy_required), (DeploymentState::Failing, true));

    world.select(&agent, &[]).await;
    world.clock.advance(Duration::from_secs(3));
    assert_eq!(world.redeployer.run(&world.claim().await).await.unwrap(), RedeployStep::Applied);
    assert_eq!(world.handed(), ["-acme"]);
}

#[tokio::test]
async fn a_permanent_failure_waits_to_be_asked_about() {
    let world = World::new();
    let agent = world.agent().await;
    world.fails_with(FailureClass::UnsupportedRuntime, None);
    assert_eq!(world.redeploy(&agent).await, RedeployStep::Failed(FailureClass::UnsupportedRuntime));
    world.clock.advance(Duration::from_hours(1));
    assert!(world.nothing_is_due().await);
    let status = world.servers.status(&world.caller(), agent.agent.id).await.unwrap().unwrap();
    assert_eq!((status.state, status.next_attempt_at), (DeploymentState::Unsupported, None));
    assert_eq!(world.redeploy(&agent).await, RedeployStep::Applied);
}

#[tokio::test]
async fn one_asked_for_meanwhile_is_done_only_if_something_has_changed() {
    let world = World::new();
    let agent = world.agent().await;
    world.connect(&agent, "acme", "default", "a-1").await;
    world.select(&agent, &["acme"]).await;
    world.request(&agent).await;
    let claim = world.claim().await;
    world.request(&agent).await;
    assert_eq!(world.redeployer.run(&claim).await.unwrap(), RedeployStep::Applied);
    assert_eq!(world.redeployer.run(&world.claim().await).await.unwrap(), RedeployStep::Unneeded);
    assert_eq!(world.runtime.handed.lock().unwrap().len(), 1);

    world.request(&agent).await;
    let claim = world.claim().await;
    world.request(&agent).await;
    assert_eq!(world.redeployer.run(&claim).await.unwrap(), RedeployStep::Applied);
    world.select(&agent, &[]).await;
    assert_eq!(world.redeployer.run(&world.claim().await).await.unwrap(), RedeployStep::Applied);
    assert_eq!(world.handed(), ["-acme"]);
}

#[tokio::test]
async fn what_does_not_open_feeds_nothing_and_says_so() {
    let world = World::new();
    let agent = world.agent().await;
    let broken = world.connect(&agent, "acme", "default", "broken").await;
    world.connect(&agent, "acme", "second", "a-2").await;
    world.select(&agent, &["acme"]).await;
    assert_eq!(world.redeploy(&agent).await, RedeployStep::Applied);
    assert_eq!(world.handed(), ["KEY=a-2"], "the next one feeds the server");
    let found = world.found(&agent).await;
    let stored = found.integrations.iter().find(|stored| stored.integration.id == broken.integration.id).unwrap();
    assert!(!stored.integration.readable);
}

#[tokio::test]
async fn a_lost_lease_hands_over_nothing() {
    let world = World::new();
    let agent = world.agent().await;
    world.request(&agent).await;
    let lost = world.claim().await;
    world.clock.advance(LEASE);
    let held = world.claim().await;
    assert_eq!(world.redeployer.run(&lost).await.unwrap(), RedeployStep::LeaseLost);
    assert!(world.runtime.handed.lock().unwrap().is_empty());
    assert_eq!(world.redeployer.run(&held).await.unwrap(), RedeployStep::Applied);
}
