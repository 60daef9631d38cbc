//! A connection whose secrets do not open needs to be reconnected, and new secrets do that.

use nora_integrations::ports::{FailureClass, VariableState};
use nora_integrations::{ChangeError, Integration, Status, Step};
use nora_kernel::audit::{Action, Actor, Outcome, Resource, ResourceKind};
use serde_json::json;

use crate::support::{Asked, World, states};

impl World {
    async fn status(&self, of: &Integration) -> Status {
        self.stored(of).await.integration.status(&self.connections.catalog)
    }

    /// What was sealed for an integration does not open any more, and a push has found that out.
    async fn lose(&self, integration: &Integration) {
        self.vault.loses(integration.id.as_uuid());
        self.settle().await;
        assert_eq!(self.status(integration).await, Status::NeedsReconnect);
    }
}

#[tokio::test]
async fn one_that_does_not_open_does_not_hold_up_the_others() {
    let world = World::new();
    let agent = world.synced_agent().await;
    let lost = world.connect(agent, Asked::github("ghp")).await;
    world
        .connect(agent, Asked { provider: "database", ..Asked::github("pw") }.with(json!({ "host": "10.0.0.5" })))
        .await;
    world.lose(&lost).await;
    assert_eq!(world.env(), ["DATABASE_HOST=10.0.0.5", "DATABASE_PASSWORD=pw"]);
    assert_eq!(world.runtime.at("http://10.0.0.1:9090/").integrations, ["database/default"]);
    assert_eq!(states(&world.view(agent).await.variables), ["DATABASE_HOST live", "DATABASE_PASSWORD live"]);

    let lines = world.lines().await;
    let line = lines.iter().find(|line| line.action == Action::IntegrationUnreadable).unwrap();
    assert_eq!((&line.actor, line.outcome, line.agent), (&Actor::System, Outcome::Failure, Some(agent)));
    assert_eq!(line.resource, Resource::new(ResourceKind::Integration, lost.id));
}

#[tokio::test]
async fn it_is_found_out_once() {
    let world = World::new();
    let agent = world.synced_agent().await;
    let lost = world.connect(agent, Asked::github("ghp")).await;
    world.lose(&lost).await;
    world.connect(agent, Asked::hub("key").labelled("work")).await;
    world.settle().await;
    let lines = world.lines().await;
    assert_eq!(lines.iter().filter(|line| line.action == Action::IntegrationUnreadable).count(), 1);
}

#[tokio::test]
async fn a_vault_that_does_not_answer_is_no_reason_to_reconnect() {
    let world = World::new();
    let agent = world.synced_agent().await;
    let made = world.connect(agent, Asked::github("ghp")).await;
    world.vault.is_silent_about(made.id.as_uuid());
    assert_eq!(world.step().await, Step::Failed(FailureClass::Internal));
    assert_eq!(world.status(&made).await, Status::Active);
    assert!(world.runtime.pushes().is_empty(), "nothing is pushed without it");
    world.vault.recovers();
    world.wait(1);
    world.settle().await;
    assert_eq!(world.env(), ["GITHUB_TOKEN=ghp"]);
}

#[tokio::test]
async fn a_new_token_ends_it() {
    let world = World::new();
    let agent = world.synced_agent().await;
    let lost =
        world.connect(agent, Asked::github("ghp").with(json!({ "signing_secret": "hush", "org": "acme" }))).await;
    world.lose(&lost).await;
    let changed = world.change(&lost, "new", json!({})).await.unwrap();
    assert_eq!(changed.status(&world.connections.catalog), Status::Active);
    assert_eq!(world.secrets(&lost).await, ["access_token=new"], "what does not open is not kept");
    world.settle().await;
    assert_eq!(world.env(), ["GITHUB_ORG=acme", "GITHUB_TOKEN=new"]);
}

#[tokio::test]
async fn nothing_less_than_a_required_token_ends_it() {
    let world = World::new();
    let agent = world.synced_agent().await;
    let lost = world.connect(agent, Asked::github("ghp").with(json!({ "signing_secret": "hush" }))).await;
    world.lose(&lost).await;
    for patch in [json!({}), json!({ "org": "acme" }), json!({ "signing_secret": "new" })] {
        match world.change(&lost, "", patch).await {
            Err(ChangeError::Invalid(violations)) => assert_eq!(violations[0].pointer, "/token"),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(world.status(&lost).await, Status::NeedsReconnect);
}

#[tokio::test]
async fn an_optional_secret_that_is_not_named_stays_lost() {
    let world = World::new();
    let agent = world.synced_agent().await;
    let asked = Asked { provider: "cache", ..Asked::github("pw") }.with(json!({ "host": "10.0.0.5" }));
    let lost = world.connect(agent, asked).await;
    world.lose(&lost).await;
    let changed = world.change(&lost, "", json!({ "host": "10.0.0.5" })).await.unwrap();
    assert_eq!(changed.status(&world.connections.catalog), Status::NeedsReconnect);
    assert_eq!((changed.secret_fields.len(), world.stored(&lost).await.secrets_version), (1, 1));

    let changed = world.change(&lost, "", json!({ "password": null })).await.unwrap();
    assert_eq!(changed.status(&world.connections.catalog), Status::Active, "it can do without");
    world.settle().await;
    assert_eq!(world.env(), ["CACHE_HOST=10.0.0.5"]);
}

#[tokio::test]
async fn new_secrets_outrun_the_mark() {
    let world = World::new();
    let agent = world.synced_agent().await;
    let made = world.connect(agent, Asked::github("ghp")).await;
    let old = world.stored(&made).await;
    world.change(&made, "new", json!({})).await.unwrap();
    let line = world.last_line().await;
    world.connections.sync.mark_unreadable(made.id, old.secrets_version, &line).await.unwrap();
    assert_eq!(world.status(&made).await, Status::Active);
}

#[tokio::test]
async fn the_variables_of_a_lost_connection_are_not_shown() {
    let world = World::new();
    let agent = world.synced_agent().await;
    let lost = world.connect(agent, Asked::github("ghp")).await;
    world.settle().await;
    assert_eq!(world.view(agent).await.variables[0].state, VariableState::Live);
    world.change(&lost, "", json!({ "org": "acme" })).await.unwrap();
    world.lose(&lost).await;
    assert_eq!(world.view(agent).await.variables, []);
    assert_eq!(world.env(), [""; 0]);
}
