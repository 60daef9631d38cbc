//! What a failed push leaves behind: nothing confirmed, and a time to try again.

use std::time::Duration;

use nora_integrations::ports::{FailureClass, SyncRecord};
use nora_integrations::{Step, SyncState};
use nora_kernel::Clock as _;

use crate::support::{Asked, Health, Reaction, World, caller};

const RETRYABLE: [FailureClass; 10] = [
    FailureClass::Dns,
    FailureClass::Refused,
    FailureClass::Timeout,
    FailureClass::Tls,
    FailureClass::BlockedAddress,
    FailureClass::BadAnswer,
    FailureClass::ServerError,
    FailureClass::Rejected,
    FailureClass::RateLimited,
    FailureClass::Internal,
];
const PERMANENT: [FailureClass; 4] =
    [FailureClass::Auth, FailureClass::NotPaired, FailureClass::UnsupportedRuntime, FailureClass::Unreadable];

/// An agent with something to push, and what is recorded after one failure.
async fn failed(world: &World, reaction: Reaction) -> (nora_kernel::AgentId, Step, SyncRecord) {
    let agent = world.synced_agent().await;
    world.connect(agent, Asked::github("ghp")).await;
    world.runtime.will(reaction);
    let step = world.step().await;
    (agent, step, world.record(agent).await)
}

#[tokio::test]
async fn what_may_pass_is_tried_again() {
    for class in RETRYABLE {
        let world = World::new();
        let (agent, step, record) = failed(&world, Reaction::Fails(class)).await;
        assert_eq!((step, record.applied, record.desired), (Step::Failed(class), 1, 2));
        let failure = record.last_failure.unwrap();
        assert_eq!((failure.class, failure.at), (class, world.clock.now()));
        assert_eq!(record.next_attempt_at, Some(world.clock.now().after(Duration::from_millis(500))), "{class:?}");
        assert_eq!(world.view(agent).await.status.state, SyncState::Failing);
        world.wait(1);
        assert_eq!(world.settle().await, [Step::Synced]);
        assert_eq!(world.env(), ["GITHUB_TOKEN=ghp"]);
        assert_eq!(world.view(agent).await.status.last_error, None);
    }
}

#[tokio::test]
async fn what_cannot_pass_waits_for_somebody() {
    for class in PERMANENT {
        let world = World::new();
        let (agent, step, record) = failed(&world, Reaction::Fails(class)).await;
        assert_eq!((step, record.next_attempt_at), (Step::Failed(class), None), "{class:?}");
        world.clock.advance(Duration::from_hours(1000));
        assert!(world.is_quiet().await, "{class:?}");
        let view = world.view(agent).await;
        assert_eq!((view.status.state, view.status.next_attempt_at), (SyncState::Failing, None));
        world.agents.request_sync(&caller(), agent).await.unwrap();
        assert_eq!(world.settle().await, [Step::Synced]);
        assert_eq!(world.env(), ["GITHUB_TOKEN=ghp"]);
    }
}

#[tokio::test]
async fn the_wait_grows_and_ends_with_a_success() {
    let world = World::new();
    let (agent, _, record) = failed(&world, Reaction::Fails(FailureClass::Timeout)).await;
    let wait = |record: &SyncRecord| record.next_attempt_at.unwrap().since(record.last_failure.as_ref().unwrap().at);
    let mut waits = vec![wait(&record)];
    for _ in 0..7 {
        world.clock.advance(*waits.last().unwrap());
        world.runtime.will(Reaction::Fails(FailureClass::Timeout));
        world.step().await;
        waits.push(wait(&world.record(agent).await));
    }
    let milliseconds: Vec<_> = waits.iter().map(Duration::as_millis).collect();
    assert_eq!(milliseconds, [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);

    world.wait(30);
    assert_eq!(world.step().await, Step::Synced);
    world.agents.request_sync(&caller(), agent).await.unwrap();
    world.runtime.will(Reaction::Fails(FailureClass::Timeout));
    world.step().await;
    assert_eq!(wait(&world.record(agent).await), Duration::from_millis(500));
}

#[tokio::test]
async fn a_runtime_that_asks_for_patience_gets_it() {
    let world = World::new();
    let (_, step, record) = failed(&world, Reaction::Busy(Duration::from_secs(90))).await;
    assert_eq!(step, Step::Failed(FailureClass::RateLimited));
    assert_eq!(record.next_attempt_at, Some(world.clock.now().after(Duration::from_secs(90))));
    let world = World::new();
    let (_, _, record) = failed(&world, Reaction::Busy(Duration::from_hours(50))).await;
    assert_eq!(record.next_attempt_at, Some(world.clock.now().after(Duration::from_hours(1))));
}

#[tokio::test]
async fn a_change_is_pushed_at_once_after_a_failure() {
    let world = World::new();
    let (agent, ..) = failed(&world, Reaction::Busy(Duration::from_mins(30))).await;
    world.connect(agent, Asked::github("other").labelled("work")).await;
    assert_eq!(world.settle().await, [Step::Synced]);
    assert_eq!(world.env(), ["GITHUB_TOKEN=ghp", "GITHUB_TOKEN__WORK=other"]);
}

#[tokio::test]
async fn an_answer_that_gets_lost_is_asked_for_again() {
    let world = World::new();
    let (agent, step, record) = failed(&world, Reaction::AnswerGetsLost).await;
    assert_eq!((step, record.applied), (Step::Failed(FailureClass::Timeout), 1), "what nobody heard was not confirmed");
    world.wait(1);
    assert_eq!(world.settle().await, [Step::Synced]);
    let generations: Vec<_> = world.runtime.pushes().iter().map(|push| push.generation).collect();
    assert_eq!((generations, world.record(agent).await.applied), (vec![2, 2], 2), "the same again is harmless");
}

#[tokio::test]
async fn a_runtimes_own_credentials_that_do_not_open_wait_for_new_ones() {
    let world = World::new();
    let agent = world.synced_agent().await;
    world.vault.loses(world.target(agent).await.as_uuid());
    world.connect(agent, Asked::github("ghp")).await;
    assert_eq!(world.step().await, Step::Failed(FailureClass::Unreadable));
    assert!(world.runtime.seen().is_empty());
    let runtime = nora_agents::RuntimeChange { token: Some(crate::support::secret("new")), ..Default::default() };
    let change = nora_agents::ChangeAgent { runtime: Some(runtime), ..Default::default() };
    world.agents.change(&caller(), agent, change).await.unwrap();
    assert_eq!(world.settle().await, [Step::Synced]);
    assert_eq!(world.runtime.seen()[0].token.as_deref(), Some("new"));
}

#[tokio::test]
async fn a_vault_that_does_not_answer_may_answer_later() {
    let world = World::new();
    let agent = world.synced_agent().await;
    world.connect(agent, Asked::github("ghp")).await;
    let claim = world.claim().await;
    world.vault.is(Health::Down);
    assert_eq!(world.run(&claim).await, Step::Failed(FailureClass::Internal));
    assert!(world.runtime.seen().is_empty());
    world.vault.is(Health::Good);
    world.wait(1);
    assert_eq!(world.settle().await, [Step::Synced]);
}

#[tokio::test]
async fn one_agents_failure_is_nobody_elses() {
    let world = World::new();
    let agent = world.synced_agent().await;
    world.agent_at("http://10.0.0.2:9090").await;
    world.connect(agent, Asked::github("ghp")).await;
    world.runtime.will(Reaction::Fails(FailureClass::Timeout));
    let mut steps = Vec::new();
    for claim in world.claims().await {
        steps.push(world.run(&claim).await);
    }
    steps.sort_by_key(|step| *step == Step::Synced);
    assert_eq!(steps, [Step::Failed(FailureClass::Timeout), Step::Synced]);
}

#[test]
fn every_class_has_a_name_and_a_sentence() {
    let mut names = std::collections::BTreeSet::new();
    for class in RETRYABLE.into_iter().chain(PERMANENT) {
        assert_eq!(FailureClass::from_wire(class.as_str()), Some(class));
        assert_eq!(class.is_permanent(), PERMANENT.contains(&class));
        assert!(class.detail().ends_with('.') && names.insert(class.as_str()));
    }
    assert_eq!(FailureClass::from_wire("gremlins"), None);
}
