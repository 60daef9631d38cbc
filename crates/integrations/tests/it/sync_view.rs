//! What a person sees of a sync. Nothing is live that was not confirmed.

use std::time::Duration;

use nora_integrations::SyncState;
use nora_integrations::ports::{FailureClass, VariableState};
use nora_kernel::{AgentId, Caller, Clock as _};
use nora_testkit::samples::named;
use serde_json::json;

use crate::support::{Asked, Reaction, World, admin, caller, states, variable};

#[tokio::test]
async fn a_new_agent_is_pending() {
    let world = World::new();
    let agent = world.agent().await;
    let status = world.view(agent).await.status;
    assert_eq!((status.state, status.desired, status.applied), (SyncState::Pending, 1, 0));
    assert_eq!((status.last_synced_at, status.last_error), (None, None));
    assert_eq!(status.next_attempt_at, Some(world.clock.now()));
}

#[tokio::test]
async fn what_was_confirmed_is_in_sync() {
    let world = World::new();
    let agent = world.synced_agent().await;
    world.connect(agent, Asked::github("ghp")).await;
    world.wait(5);
    world.settle().await;
    let view = world.view(agent).await;
    assert_eq!((view.status.state, view.status.desired, view.status.applied), (SyncState::InSync, 2, 2));
    assert_eq!((view.status.last_synced_at, view.status.next_attempt_at), (Some(world.clock.now()), None));
    assert_eq!(view.variables, [variable("GITHUB_TOKEN", VariableState::Live)]);
    assert_eq!(view.removed, []);
}

#[tokio::test]
async fn what_is_pending_is_not_live() {
    let world = World::new();
    let agent = world.synced_agent().await;
    world.connect(agent, Asked::github("ghp")).await;
    let view = world.view(agent).await;
    assert_eq!((view.status.state, view.variables), (SyncState::Pending, vec![]));
    world.settle().await;

    world.connect(agent, Asked::github("two").labelled("work")).await;
    let view = world.view(agent).await;
    assert_eq!(states(&view.variables), ["GITHUB_TOKEN live"], "what did not change stays live");
}

#[tokio::test]
async fn a_changed_value_is_not_live_until_it_is_confirmed() {
    let world = World::new();
    let agent = world.synced_agent().await;
    let made = world.connect(agent, Asked::github("old")).await;
    world.connect(agent, Asked::github("other").labelled("work")).await;
    world.settle().await;
    world.change(&made, "new", json!({})).await.unwrap();
    assert_eq!(states(&world.view(agent).await.variables), ["GITHUB_TOKEN__WORK live"]);
    world.settle().await;
    assert_eq!(states(&world.view(agent).await.variables), ["GITHUB_TOKEN live", "GITHUB_TOKEN__WORK live"]);
}

#[tokio::test]
async fn what_a_failed_push_left_unconfirmed_is_failed() {
    let world = World::new();
    let agent = world.synced_agent().await;
    world.connect(agent, Asked::github("ghp")).await;
    world.settle().await;
    world.connect(agent, Asked::github("two").labelled("work")).await;
    world.runtime.will(Reaction::Fails(FailureClass::Auth));
    world.settle().await;
    let view = world.view(agent).await;
    assert_eq!(states(&view.variables), ["GITHUB_TOKEN live", "GITHUB_TOKEN__WORK failed"]);
    assert_eq!(view.variables[1].reason.as_deref(), Some(FailureClass::Auth.detail()));
    let error = view.status.last_error.unwrap();
    assert_eq!((view.status.state, error.class, error.at), (SyncState::Failing, FailureClass::Auth, world.clock.now()));
    assert_eq!(view.status.next_attempt_at, None);
}

#[tokio::test]
async fn a_failure_is_shown_until_a_push_succeeds() {
    let world = World::new();
    let agent = world.synced_agent().await;
    world.connect(agent, Asked::github("ghp")).await;
    world.runtime.will(Reaction::Fails(FailureClass::Timeout));
    world.settle().await;
    let status = world.view(agent).await.status;
    assert_eq!(status.next_attempt_at, Some(world.clock.now().after(Duration::from_millis(500))));
    world.wait(1);
    world.settle().await;
    let status = world.view(agent).await.status;
    assert_eq!((status.state, status.last_error, status.next_attempt_at), (SyncState::InSync, None, None));
}

#[tokio::test]
async fn a_removal_is_pending_until_it_is_confirmed() {
    let world = World::new();
    let agent = world.synced_agent().await;
    let one = world.connect(agent, Asked::github("ghp")).await;
    let other = world.connect(agent, Asked::github("two").labelled("work")).await;
    world.settle().await;
    world.remove(&one).await;
    world.wait(1);
    world.settle().await;
    let confirmed = world.clock.now();
    world.wait(1);
    world.remove(&other).await;
    let view = world.view(agent).await;
    let removed: Vec<_> = view.removed.iter().map(|removed| (removed.integration, removed.confirmed_at)).collect();
    assert_eq!(removed, [(other.id, None), (one.id, Some(confirmed))], "newest first");
    assert_eq!(view.variables, [], "what was removed is not listed as a variable");
}

#[tokio::test]
async fn a_removal_that_was_pushed_in_vain_is_pending() {
    let world = World::new();
    let agent = world.synced_agent().await;
    let made = world.connect(agent, Asked::github("ghp")).await;
    world.settle().await;
    world.remove(&made).await;
    world.runtime.will(Reaction::AnswerGetsLost);
    world.settle().await;
    assert_eq!(world.view(agent).await.removed[0].confirmed_at, None);
    world.wait(1);
    world.settle().await;
    assert!(world.view(agent).await.removed[0].confirmed_at.is_some());
}

#[tokio::test]
async fn a_disabled_providers_variables_are_not_shown_as_pending() {
    let world = World::new();
    let agent = world.synced_agent().await;
    world.connect(agent, Asked::github("ghp")).await;
    world.settle().await;
    let world = world.disabling(&["github"]);
    world.agents.request_sync(&caller(), agent).await.unwrap();
    assert_eq!(world.view(agent).await.variables, []);
}

#[tokio::test]
async fn another_workspaces_agent_does_not_exist() {
    let world = World::new();
    let agent = world.synced_agent().await;
    let stranger = Caller { workspace: named("beta"), ..caller() };
    assert_eq!(world.connections.sync_view(&stranger, agent).await.unwrap(), None);
    assert!(world.connections.sync_view(&admin(), agent).await.unwrap().is_some());
    let nobody = AgentId::from_uuid(uuid::Uuid::from_u128(9));
    assert_eq!(world.connections.sync_view(&admin(), nobody).await.unwrap(), None);
}
