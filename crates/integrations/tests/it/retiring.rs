//! A runtime that no longer belongs to an agent is emptied before it is forgotten.

use std::time::Duration;

use nora_agents::{ChangeAgent, Patch, RuntimeChange};
use nora_integrations::Step;
use nora_integrations::ports::FailureClass;
use nora_kernel::audit::{Action, Outcome, Resource, ResourceKind};
use nora_kernel::{AgentId, TargetId};
use nora_testkit::Stores as _;

use crate::support::{Asked, Reaction, World, caller, secret};

const OLD: &str = "http://10.0.0.1:9090/";
const NEW: &str = "http://10.0.0.2:9090/";

async fn connected(world: &World) -> (AgentId, TargetId) {
    let agent = world.synced_agent().await;
    world.connect(agent, Asked::github("ghp")).await;
    world.settle().await;
    world.runtime.seen();
    (agent, world.target(agent).await)
}

impl World {
    async fn delete(&self, agent: AgentId) {
        self.agents.delete(&caller(), agent).await.unwrap();
    }

    async fn move_to(&self, agent: AgentId, url: &str) {
        let url = Patch::Set(url.to_owned());
        let runtime = RuntimeChange { url, token: Some(secret("moved")), ..RuntimeChange::default() };
        let change = ChangeAgent { runtime: Some(runtime), ..ChangeAgent::default() };
        self.agents.change(&caller(), agent, change).await.unwrap();
    }

    async fn keys(&self) -> usize {
        self.stores.custody().agent_keys(None, 10).await.unwrap().len()
    }
}

#[tokio::test]
async fn a_deleted_agents_runtime_is_emptied_and_then_everything_is_destroyed() {
    let world = World::new();
    let (agent, target) = connected(&world).await;
    world.delete(agent).await;
    assert_eq!(world.keys().await, 1, "the key stays until the runtime is empty");
    assert_eq!(world.settle().await, [Step::Synced]);
    let pushes = world.runtime.pushes();
    assert_eq!((pushes.len(), pushes[0].env.len(), pushes[0].integrations.len()), (1, 0, 0));
    assert_eq!((world.runtime.env(OLD), world.keys().await), (vec![], 0));

    let line = world.last_line().await;
    assert_eq!((line.action, line.outcome, line.agent), (Action::RuntimePurged, Outcome::Success, Some(agent)));
    assert_eq!(line.resource, Resource::new(ResourceKind::Runtime, target));
    assert_eq!(line.workspace.as_str(), "alpha");
}

#[tokio::test]
async fn nothing_is_opened_for_an_empty_push() {
    let world = World::new();
    let (agent, _) = connected(&world).await;
    world.delete(agent).await;
    let before = world.lines().await.len();
    world.settle().await;
    assert_eq!(world.lines().await.len(), before + 1, "the purge and nothing else");
}

#[tokio::test]
async fn a_purge_is_tried_until_it_is_given_up() {
    let world = World::new();
    let (agent, target) = connected(&world).await;
    world.delete(agent).await;
    for _ in 0..5 {
        world.runtime.will(Reaction::Fails(FailureClass::Refused));
        assert_eq!(world.step().await, Step::Failed(FailureClass::Refused));
        world.wait(30);
    }
    world.clock.advance(Duration::from_hours(24));
    world.runtime.seen();
    assert_eq!(world.settle().await, [Step::Abandoned]);
    assert!(world.runtime.seen().is_empty(), "it is not asked any more");
    assert_eq!(world.keys().await, 0);
    let line = world.last_line().await;
    assert_eq!((line.action, line.outcome), (Action::RuntimePurgeAbandoned, Outcome::Failure));
    assert_eq!(line.resource, Resource::new(ResourceKind::Runtime, target));
}

#[tokio::test]
async fn a_purge_that_cannot_pass_is_given_up_too() {
    let world = World::new();
    let (agent, _) = connected(&world).await;
    world.delete(agent).await;
    world.runtime.will(Reaction::Fails(FailureClass::Auth));
    assert_eq!(world.step().await, Step::Failed(FailureClass::Auth));
    world.clock.advance(Duration::from_secs(24 * 3600 - 1));
    assert!(world.is_quiet().await);
    world.wait(1);
    assert_eq!(world.settle().await, [Step::Abandoned]);
}

#[tokio::test]
async fn a_purge_in_its_last_moment_is_still_a_purge() {
    let world = World::new();
    let (agent, _) = connected(&world).await;
    world.delete(agent).await;
    world.clock.advance(Duration::from_micros(24 * 3_600_000_000 - 1));
    assert_eq!(world.settle().await, [Step::Synced]);
    assert_eq!(world.last_line().await.action, Action::RuntimePurged);
}

#[tokio::test]
async fn an_agent_that_moves_leaves_nothing_behind() {
    let world = World::new();
    let (agent, _) = connected(&world).await;
    world.move_to(agent, NEW).await;
    assert_eq!(world.settle().await, [Step::Synced, Step::Synced]);
    assert_eq!((world.runtime.env(OLD), world.runtime.env(NEW)), (vec![], vec!["GITHUB_TOKEN=ghp".to_owned()]));
    let tokens: Vec<_> = world.runtime.seen().into_iter().map(|seen| (seen.url, seen.token.unwrap())).collect();
    assert!(tokens.contains(&(OLD.to_owned(), "runtime".to_owned())), "each place has its own token: {tokens:?}");
    assert!(tokens.contains(&(NEW.to_owned(), "moved".to_owned())));
    assert_eq!(world.keys().await, 1);
}

#[tokio::test]
async fn a_purge_that_was_given_up_leaves_the_agent_alone() {
    let world = World::new();
    let (agent, _) = connected(&world).await;
    world.move_to(agent, NEW).await;
    world.runtime.will(Reaction::Fails(FailureClass::Auth));
    world.runtime.will(Reaction::Fails(FailureClass::Auth));
    world.settle().await;
    world.clock.advance(Duration::from_hours(24));
    assert_eq!(world.settle().await, [Step::Abandoned]);
    world.agents.request_sync(&caller(), agent).await.unwrap();
    assert_eq!(world.settle().await, [Step::Synced]);
    assert_eq!(world.runtime.env(NEW), ["GITHUB_TOKEN=ghp"]);
}

#[tokio::test]
async fn a_machine_under_another_name_keeps_what_its_new_name_was_given() {
    let world = World::new();
    let (agent, _) = connected(&world).await;
    world.move_to(agent, NEW).await;
    // One machine behind both names: it was pushed to under the new one first.
    let mut machine = world.runtime.at(OLD);
    machine.generation = world.record(agent).await.desired;
    world.runtime.places.lock().unwrap().insert(OLD.to_owned(), machine);
    let steps = world.settle().await;
    assert_eq!(steps, [Step::Synced, Step::Synced], "there is nothing left to purge");
    assert_eq!(world.runtime.env(OLD), ["GITHUB_TOKEN=ghp"]);
    assert!(world.lines().await.iter().any(|line| line.action == Action::RuntimePurged));
    assert_eq!(world.record(agent).await.desired, world.record(agent).await.applied);
}

#[tokio::test]
async fn a_machine_that_was_ahead_when_its_agent_moved_is_emptied_all_the_same() {
    let world = World::new();
    let (agent, _) = connected(&world).await;
    world.runtime.places.lock().unwrap().get_mut(OLD).unwrap().generation = 41;
    world.move_to(agent, NEW).await;
    assert_eq!(world.settle().await, [Step::Raised, Step::Synced]);
    world.wait(1);
    assert_eq!(world.settle().await, [Step::Synced]);
    assert_eq!((world.runtime.env(OLD), world.runtime.env(NEW)), (vec![], vec!["GITHUB_TOKEN=ghp".to_owned()]));
    assert_eq!(world.runtime.at(OLD).generation, 41, "its own generation again, and none that the new place may use");
}

#[tokio::test]
async fn a_place_that_somebody_else_has_taken_is_left_alone() {
    let world = World::new();
    let (agent, _) = connected(&world).await;
    world.runtime.will(Reaction::Fails(FailureClass::Refused));
    world.delete(agent).await;
    assert_eq!(world.settle().await, [Step::Failed(FailureClass::Refused)]);
    let heir = world.agent().await;
    world.connect(heir, Asked::github("heir")).await;
    assert_eq!(world.settle().await, [Step::Synced]);
    world.wait(1);
    world.runtime.seen();
    assert_eq!(world.settle().await, [Step::Synced]);
    assert_eq!(world.runtime.pushes(), [], "its state has taken the place of what was there");
    assert_eq!((world.env(), world.keys().await), (vec!["GITHUB_TOKEN=heir".to_owned()], 1));
    assert_eq!(world.last_line().await.action, Action::RuntimePurged);
}

#[tokio::test]
async fn a_deleted_agents_runtime_that_is_ahead_is_emptied_all_the_same() {
    let world = World::new();
    let (agent, _) = connected(&world).await;
    world.delete(agent).await;
    world.runtime.places.lock().unwrap().get_mut(OLD).unwrap().generation = 41;
    assert_eq!(world.settle().await, [Step::Raised]);
    assert_eq!(world.last_line().await.action, Action::GenerationRaised);
    world.wait(1);
    assert_eq!(world.settle().await, [Step::Synced]);
    assert_eq!((world.runtime.env(OLD), world.keys().await), (vec![], 0));
}
