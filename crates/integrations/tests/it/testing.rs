//! Testing a saved connection: a third party's refusal is an answer, and nothing is changed by asking.

use std::time::Duration;

use nora_integrations::{SecretsError, Status, TestError};
use nora_kernel::audit::{Action, Outcome as Ending, Resource, ResourceKind};
use nora_kernel::{Caller, Clock as _, Purpose};
use nora_provider_sdk::{Account, Outcome, Rejection, Verdict};
use nora_testkit::samples::named;
use serde_json::json;

use crate::support::{Asked, World, admin, caller};

#[tokio::test]
async fn the_provider_is_shown_what_was_stored() {
    let world = World::new();
    let agent = world.synced_agent().await;
    let made = world.connect(agent, Asked::github("ghp").with(json!({ "org": "acme" }))).await;
    world.probe.answers(Outcome::verified(Account::new("octocat")));
    *world.probe.takes.lock().unwrap() = Duration::from_millis(250);
    let report = world.connections.test(&caller(), agent, made.id).await.unwrap();
    assert_eq!(world.probe.shown(), ["github access_token=ghp org=acme base_url=https://api.github.example"]);
    assert_eq!((report.is_success(), report.message.as_str()), (true, "Connected as octocat"));
    assert_eq!((report.latency, report.checked_at), (Duration::from_millis(250), world.clock.now()));
}

#[tokio::test]
async fn every_opening_is_a_line() {
    let world = World::new();
    let agent = world.synced_agent().await;
    let made = world.connect(agent, Asked::github("ghp").with(json!({ "signing_secret": "hush" }))).await;
    let (before, by) = (world.lines().await.len(), admin());
    world.connections.test(&by, agent, made.id).await.unwrap();
    let lines = world.lines().await;
    assert_eq!(lines.len(), before + 1, "one per use and not per secret");
    let line = lines.last().unwrap();
    assert_eq!(
        (line.action, line.purpose, line.outcome),
        (Action::CredentialsOpened, Some(Purpose::Test), Ending::Success)
    );
    assert_eq!((&line.actor, line.request, line.agent), (&by.actor, Some(by.request), Some(agent)));
    assert_eq!(line.resource, Resource::new(ResourceKind::Integration, made.id));
}

#[tokio::test]
async fn where_nothing_is_opened_there_is_no_line() {
    let world = World::new();
    let agent = world.synced_agent().await;
    let asked = Asked { provider: "feed", ..Asked::github("") }.with(json!({ "feed_url": "https://feed.example" }));
    let made = world.connect(agent, asked).await;
    let before = world.lines().await.len();
    assert!(world.connections.test(&caller(), agent, made.id).await.unwrap().is_success());
    assert_eq!(world.lines().await.len(), before);
}

#[tokio::test]
async fn asking_changes_nothing() {
    let world = World::new();
    let agent = world.synced_agent().await;
    let made = world.connect(agent, Asked::github("ghp")).await;
    world.settle().await;
    let (stored, desired) = (world.stored(&made).await, world.record(agent).await.desired);
    world.probe.answers(Outcome::rejected(Rejection::Auth));
    let report = world.connections.test(&caller(), agent, made.id).await.unwrap();
    assert!(!report.is_success());
    assert_eq!((world.stored(&made).await, world.record(agent).await.desired), (stored, desired));
    assert!(world.is_quiet().await);
}

#[tokio::test]
async fn nothing_is_green_unproved() {
    let world = World::new();
    let agent = world.synced_agent().await;
    let made = world.connect(agent, Asked::github("ghp")).await;
    world.probe.answers(Outcome::unverifiable("There is nothing to ask."));
    let report = world.connections.test(&caller(), agent, made.id).await.unwrap();
    assert_eq!((report.is_success(), report.message.as_str()), (false, "There is nothing to ask."));
}

#[tokio::test]
async fn secrets_that_do_not_open_are_marked() {
    let world = World::new();
    let agent = world.synced_agent().await;
    let made = world.connect(agent, Asked::github("ghp")).await;
    world.settle().await;
    world.vault.loses(made.id.as_uuid());
    let report = world.connections.test(&caller(), agent, made.id).await.unwrap();
    assert_eq!((report.is_success(), &report.outcome.verdict), (false, &Verdict::Unverifiable));
    assert!(report.message.contains("Send them again"), "{}", report.message);
    assert_eq!(world.probe.shown(), [""; 0]);
    let stored = world.stored(&made).await.integration;
    assert_eq!(stored.status(&world.connections.catalog), Status::NeedsReconnect);
    let line = world.last_line().await;
    assert_eq!((line.action, line.outcome), (Action::IntegrationUnreadable, Ending::Failure));
}

#[tokio::test]
async fn a_vault_that_does_not_answer_is_no_verdict() {
    let world = World::new();
    let agent = world.synced_agent().await;
    let made = world.connect(agent, Asked::github("ghp")).await;
    world.vault.is_silent_about(made.id.as_uuid());
    let refused = world.connections.test(&caller(), agent, made.id).await.unwrap_err();
    assert!(matches!(refused, TestError::Vault(SecretsError::Unavailable(_))), "{refused}");
    assert!(world.stored(&made).await.integration.readable);
    assert_eq!(world.probe.shown(), [""; 0]);
}

#[tokio::test]
async fn a_disabled_providers_connection_is_not_tested() {
    let world = World::new();
    let agent = world.synced_agent().await;
    let made = world.connect(agent, Asked::github("ghp")).await;
    let world = world.disabling(&["github"]);
    let before = world.lines().await.len();
    let report = world.connections.test(&caller(), agent, made.id).await.unwrap();
    assert_eq!((report.is_success(), &report.outcome.verdict), (false, &Verdict::Unverifiable));
    assert!(report.message.contains("not enabled"), "{}", report.message);
    assert_eq!((world.probe.shown().len(), world.lines().await.len()), (0, before));
}

#[tokio::test]
async fn what_is_not_there_for_a_caller_is_not_found() {
    let world = World::new();
    let agent = world.synced_agent().await;
    let made = world.connect(agent, Asked::github("ghp")).await;
    let elsewhere = world.agent_at("http://10.0.0.2:9090").await;
    let stranger = Caller { workspace: named("beta"), ..caller() };
    let before = world.lines().await.len();
    for (who, agent) in [(&stranger, agent), (&caller(), elsewhere)] {
        let refused = world.connections.test(who, agent, made.id).await.unwrap_err();
        assert!(matches!(refused, TestError::NotFound), "{refused}");
    }
    assert_eq!((world.probe.shown().len(), world.lines().await.len()), (0, before));
}
