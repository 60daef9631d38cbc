//! A runtime that holds a newer generation keeps it, and ours is raised above it.

use std::time::Duration;

use nora_integrations::Step;
use nora_integrations::ports::FailureClass;
use nora_kernel::audit::{Action, Actor, Outcome, Resource, ResourceKind};
use nora_kernel::{AgentId, Clock as _};

use crate::support::{Asked, Reaction, World};

async fn behind(world: &World) -> AgentId {
    let agent = world.synced_agent().await;
    world.connect(agent, Asked::github("ghp")).await;
    agent
}

#[tokio::test]
async fn a_restored_backup_catches_up() {
    let world = World::new();
    let agent = behind(&world).await;
    world.runtime.places.lock().unwrap().get_mut("http://10.0.0.1:9090/").unwrap().generation = 41;
    assert_eq!(world.step().await, Step::Raised);
    let record = world.record(agent).await;
    assert_eq!((record.desired, record.applied, &record.last_failure), (42, 1, &None));
    assert_eq!(record.next_attempt_at, Some(world.clock.now().after(Duration::from_secs(1))), "once a second at most");
    assert!(world.is_quiet().await);

    world.wait(1);
    assert_eq!(world.settle().await, [Step::Synced]);
    assert_eq!((world.env(), world.record(agent).await.applied), (vec!["GITHUB_TOKEN=ghp".to_owned()], 42));
}

#[tokio::test]
async fn the_line_says_what_happened() {
    let world = World::new();
    let agent = behind(&world).await;
    world.runtime.will(Reaction::Claims(41));
    world.step().await;
    let line = world.last_line().await;
    assert_eq!((line.action, &line.actor, line.outcome), (Action::GenerationRaised, &Actor::System, Outcome::Success));
    assert_eq!(line.resource, Resource::new(ResourceKind::Runtime, world.target(agent).await));
    assert_eq!((line.agent, line.request), (Some(agent), None));
}

#[tokio::test]
async fn a_generation_that_cannot_be_is_a_bad_answer() {
    for claimed in [0, 1, 2, 1 << 53, u64::MAX] {
        let world = World::new();
        let agent = behind(&world).await;
        let lines = world.lines().await.len();
        world.runtime.will(Reaction::Claims(claimed));
        assert_eq!(world.step().await, Step::Failed(FailureClass::BadAnswer), "{claimed}");
        assert_eq!(world.record(agent).await.desired, 2, "{claimed}");
        assert_eq!(world.lines().await.len(), lines + 1, "the opening of the credentials and nothing else");
    }
}
