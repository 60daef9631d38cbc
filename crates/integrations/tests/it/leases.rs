//! A worker that lost its lease changes nothing, wherever it was.

use std::sync::Arc;
use std::time::Duration;

use nora_integrations::Step;
use nora_integrations::ports::{Claim, FailureClass};
use nora_kernel::AgentId;

use crate::support::{Asked, Reaction, World, caller};

impl World {
    /// Lets the lease run out, and another worker take the target.
    async fn rob(&self) -> Claim {
        self.wait(60);
        self.claim().await
    }

    fn rob_during_the_call(&self) {
        *self.runtime.thief.lock().unwrap() = Some(Arc::clone(&self.stores));
    }

    /// Runs a claim that is lost on the way, and asserts that it left no trace in the store.
    async fn runs_in_vain(&self, agent: AgentId, claim: &Claim, opened: usize) {
        let (before, lines) = (self.record(agent).await, self.lines().await.len());
        assert_eq!(self.run(claim).await, Step::LeaseLost);
        let after = self.record(agent).await;
        assert_eq!((after.desired, after.applied), (before.desired, before.applied));
        assert_eq!((after.last_failure, after.next_attempt_at), (before.last_failure, before.next_attempt_at));
        assert_eq!((after.last_synced_at, after.variables), (before.last_synced_at, before.variables));
        assert_eq!(self.lines().await.len(), lines + opened, "but for the credentials that were opened");
    }
}

async fn behind(world: &World) -> AgentId {
    let agent = world.synced_agent().await;
    world.connect(agent, Asked::github("ghp")).await;
    agent
}

#[tokio::test]
async fn before_anything_was_read() {
    let world = World::new();
    let agent = behind(&world).await;
    let claim = world.claim().await;
    world.rob().await;
    world.runs_in_vain(agent, &claim, 0).await;
    assert!(world.runtime.seen().is_empty());
}

#[tokio::test]
async fn while_the_runtime_confirmed() {
    let world = World::new();
    let agent = behind(&world).await;
    let claim = world.claim().await;
    world.rob_during_the_call();
    world.runs_in_vain(agent, &claim, 1).await;
}

#[tokio::test]
async fn while_the_runtime_failed() {
    for reaction in [Reaction::Fails(FailureClass::Timeout), Reaction::Fails(FailureClass::Auth), Reaction::Claims(99)]
    {
        let world = World::new();
        let agent = behind(&world).await;
        let claim = world.claim().await;
        world.rob_during_the_call();
        world.runtime.will(reaction);
        world.runs_in_vain(agent, &claim, 1).await;
    }
}

#[tokio::test]
async fn before_or_while_the_runtime_was_asked() {
    let world = World::new();
    let agent = world.synced_agent().await;
    world.wait(300);
    let claim = world.claim().await;
    world.rob_during_the_call();
    world.runs_in_vain(agent, &claim, 0).await;

    let world = World::new();
    let agent = world.synced_agent().await;
    world.wait(300);
    let claim = world.claim().await;
    world.rob().await;
    world.runs_in_vain(agent, &claim, 0).await;
    assert!(world.runtime.seen().is_empty());
}

#[tokio::test]
async fn while_the_runtime_disagreed() {
    let world = World::new();
    let agent = world.synced_agent().await;
    world.runtime.places.lock().unwrap().clear();
    world.wait(300);
    let claim = world.claim().await;
    world.rob_during_the_call();
    world.runs_in_vain(agent, &claim, 0).await;
}

#[tokio::test]
async fn before_a_purge_was_given_up() {
    let world = World::new();
    let agent = world.synced_agent().await;
    world.agents.delete(&caller(), agent).await.unwrap();
    world.clock.advance(Duration::from_hours(24));
    let claim = world.claim().await;
    let theirs = world.rob().await;
    let lines = world.lines().await.len();
    assert_eq!(world.run(&claim).await, Step::LeaseLost);
    assert_eq!(world.lines().await.len(), lines);
    assert_eq!(world.run(&theirs).await, Step::Abandoned, "whoever holds it does");
}

#[tokio::test]
async fn the_work_is_done_by_whoever_holds_the_lease() {
    let world = World::new();
    let agent = behind(&world).await;
    let lost = world.claim().await;
    let held = world.rob().await;
    assert_eq!(world.run(&held).await, Step::Synced);
    assert_eq!(world.run(&lost).await, Step::LeaseLost);
    assert_eq!(world.record(agent).await.applied, 2);
}
