//! A runtime in step is asked what it holds, and pushed to only if that differs.

use std::time::Duration;

use nora_integrations::ports::{FailureClass, Health, PushError, Task};
use nora_integrations::{Step, SyncState};
use nora_kernel::audit::{Action, Actor, Resource, ResourceKind};
use nora_kernel::{AgentId, Clock as _};
use uuid::Uuid;

use crate::support::{Asked, Health as VaultHealth, Reaction, World};

const PLACE: &str = "http://10.0.0.1:9090/";

/// An agent in step at generation 2, whose next check is due.
async fn due(world: &World) -> AgentId {
    let agent = world.synced_agent().await;
    world.connect(agent, Asked::github("ghp")).await;
    world.settle().await;
    world.runtime.seen();
    world.wait(300);
    agent
}

fn says(world: &World, health: Result<Option<Health>, PushError>) {
    *world.runtime.says.lock().unwrap() = Some(health);
}

#[tokio::test]
async fn one_that_agrees_is_left_alone() {
    let world = World::new();
    let agent = due(&world).await;
    let (before, lines) = (world.record(agent).await, world.lines().await.len());
    assert_eq!(world.step().await, Step::Checked);
    let seen = world.runtime.seen();
    assert_eq!((seen.len(), &seen[0].pushed, seen[0].token.as_deref()), (1, &None, Some("runtime")));
    let after = world.record(agent).await;
    assert_eq!((after.desired, after.last_synced_at), (before.desired, before.last_synced_at));
    assert_eq!(world.lines().await.len(), lines, "no credential was opened");

    world.clock.advance(Duration::from_micros(299_999_999));
    assert!(world.is_quiet().await);
    world.clock.advance(Duration::from_micros(1));
    assert_eq!(world.claim().await.task, Task::Check);
}

#[tokio::test]
async fn one_that_cannot_say_is_left_alone() {
    let answers = [
        Ok(None),
        Err(PushError::failed(FailureClass::Timeout)),
        Err(PushError::failed(FailureClass::Auth)),
        Err(PushError::Superseded { current: 9 }),
    ];
    for answer in answers {
        let world = World::new();
        let agent = due(&world).await;
        says(&world, answer);
        assert_eq!(world.step().await, Step::Checked, "{answer:?}");
        let view = world.view(agent).await;
        assert_eq!((view.status.state, view.status.last_error), (SyncState::InSync, None));
        assert!(world.is_quiet().await);
    }
}

#[tokio::test]
async fn one_that_lost_its_state_is_given_it_again() {
    let world = World::new();
    let agent = due(&world).await;
    world.runtime.places.lock().unwrap().clear();
    let before = world.lines().await.len();
    assert_eq!(world.step().await, Step::Raised);
    assert_eq!(world.view(agent).await.status.state, SyncState::Pending, "it is not in sync, and that is known");
    let lines = world.lines().await;
    let line = lines.get(before).unwrap();
    assert_eq!((lines.len(), line.action, &line.actor), (before + 1, Action::SyncRequested, &Actor::System));
    assert_eq!(line.resource, Resource::new(ResourceKind::Runtime, world.target(agent).await));
    assert_eq!(world.settle().await, [Step::Synced]);
    assert_eq!((world.env(), world.runtime.at(PLACE).generation), (vec!["GITHUB_TOKEN=ghp".to_owned()], 3));
    assert!(world.is_quiet().await);
}

#[tokio::test]
async fn every_difference_counts() {
    let stranger = AgentId::from_uuid(Uuid::from_u128(9));
    let health = |agent, generation| Ok(Some(Health { agent, generation }));
    let world = World::new();
    let agent = due(&world).await;
    for answer in [
        health(None, None),
        health(Some(agent), None),
        health(Some(agent), Some(1)),
        health(Some(stranger), Some(2)),
        health(Some(agent), Some(u64::MAX)),
    ] {
        let world = World::new();
        let agent_here = due(&world).await;
        assert_eq!(agent_here, agent, "ids are the same in every run");
        says(&world, answer);
        assert_eq!(world.step().await, Step::Raised, "{answer:?}");
        assert_eq!(world.record(agent).await.desired, 3, "{answer:?}");
        assert_eq!(world.last_line().await.action, Action::SyncRequested);
    }
}

#[tokio::test]
async fn one_that_is_ahead_is_passed() {
    let world = World::new();
    let agent = due(&world).await;
    world.runtime.places.lock().unwrap().get_mut(PLACE).unwrap().generation = 41;
    assert_eq!(world.step().await, Step::Raised);
    assert_eq!(world.record(agent).await.desired, 42);
    assert_eq!(world.last_line().await.action, Action::GenerationRaised);
    assert_eq!(world.settle().await, [Step::Synced]);
    assert_eq!(world.runtime.at(PLACE).generation, 42);
}

#[tokio::test]
async fn one_that_lost_its_state_and_fails_is_tried_ever_more_rarely() {
    let world = World::new();
    let agent = due(&world).await;
    world.runtime.places.lock().unwrap().clear();
    assert_eq!(world.step().await, Step::Raised);
    let mut waits = Vec::new();
    for _ in 0..4 {
        world.runtime.will(Reaction::Fails(FailureClass::ServerError));
        assert_eq!(world.step().await, Step::Failed(FailureClass::ServerError));
        let next = world.record(agent).await.next_attempt_at.unwrap();
        waits.push(next.since(world.clock.now()).as_millis());
        world.clock.advance(next.since(world.clock.now()));
    }
    assert_eq!(waits, [500, 1000, 2000, 4000]);
    assert_eq!(world.view(agent).await.status.state, SyncState::Failing);
}

#[tokio::test]
async fn a_vault_that_does_not_answer_is_asked_later() {
    let world = World::new();
    let agent = due(&world).await;
    let claim = world.claim().await;
    world.vault.is(VaultHealth::Down);
    assert_eq!(world.run(&claim).await, Step::Checked);
    let view = world.view(agent).await;
    assert_eq!((view.status.state, view.status.last_error), (SyncState::InSync, None));
    assert!(world.is_quiet().await && world.runtime.seen().is_empty());
}

#[tokio::test]
async fn credentials_of_the_runtime_that_do_not_open_are_said_so() {
    let world = World::new();
    let agent = due(&world).await;
    world.vault.loses(world.target(agent).await.as_uuid());
    assert_eq!(world.step().await, Step::Failed(FailureClass::Unreadable));
    let error = world.view(agent).await.status.last_error.unwrap();
    assert_eq!(error.class, FailureClass::Unreadable);
    world.clock.advance(Duration::from_hours(1000));
    assert!(world.is_quiet().await, "asking again would not help");
}
