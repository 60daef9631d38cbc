//! What every `SyncStore` promises about waking those who wait for work.

use std::time::Duration;

use nora_agents::ports::{AgentUpdate, StoredAgent, TargetUpdate};
use nora_kernel::Sealed;

use crate::scene::{PATIENCE, Scene};
use crate::{Fixture, Stores};

/// Lets hints of earlier steps pass. One that comes later still makes a case weaker, never red.
async fn settle(stores: &dyn Stores) {
    while tokio::time::timeout(Duration::from_millis(50), stores.sync().changed()).await.is_ok() {}
}

/// Checks that `work` wakes those who wait, on this server and on another.
async fn wakes<F: Future>(fixture: &dyn Fixture, work: F) -> F::Output {
    let (here, elsewhere) = (fixture.here(), fixture.elsewhere());
    settle(here).await;
    settle(elsewhere).await;
    let sync = elsewhere.sync();
    let (woken, done) = tokio::join!(tokio::time::timeout(PATIENCE, sync.changed()), work);
    assert!(woken.is_ok(), "nobody was woken");
    done
}

async fn update(scene: &Scene<'_>, agent: &StoredAgent, target: TargetUpdate) {
    let update = AgentUpdate {
        id: agent.agent.id,
        revision: agent.revision,
        name: agent.agent.name.clone(),
        updated_at: scene.now(),
        target,
    };
    scene.agents().update(&update, &scene.samples.line()).await.unwrap();
}

pub async fn a_new_agent_wakes(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    wakes(fixture, scene.add_agent()).await;
}

pub async fn new_keys_wake(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    let mut target = agent.target.clone();
    (target.secrets, target.secrets_version) = (Sealed(b"sealed again".to_vec()), 2);
    wakes(fixture, update(&scene, &agent, TargetUpdate::Rekey(target))).await;
}

pub async fn a_move_wakes(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    let to = scene.samples.target_elsewhere(&agent);
    wakes(fixture, update(&scene, &agent, TargetUpdate::Move { to, purge_until: scene.now() })).await;
}

pub async fn a_deletion_wakes(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    wakes(fixture, scene.delete(&agent)).await;
}

pub async fn a_sync_that_is_asked_for_wakes(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    wakes(fixture, scene.request_sync(&agent)).await;
}

pub async fn a_new_integration_wakes(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    wakes(fixture, scene.add_integration(&agent)).await;
}

pub async fn a_changed_integration_wakes(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    let new = scene.add_integration(&agent).await;
    let (update, line) = (scene.samples.integration_update(&new), scene.samples.line());
    wakes(fixture, async { scene.integrations().update(&update, &line).await.unwrap() }).await;
}

pub async fn a_removed_integration_wakes(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    let new = scene.add_integration(&agent).await;
    wakes(fixture, scene.disconnect(&new)).await;
}

pub async fn a_released_lease_wakes(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    scene.add_agent().await;
    let claims = scene.claim(10).await;
    wakes(fixture, async { scene.sync().release(&claims).await.unwrap() }).await;
}

pub async fn work_left_over_by_a_completion_wakes(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    let claim = scene.claim_one().await;
    scene.add_integration(&agent).await;
    wakes(fixture, scene.complete(&claim, 1)).await;
}

#[macro_export]
macro_rules! sync_wakeups_contract {
    ($fixture:expr) => {
        $crate::contract_cases! { $fixture => sync_wakeups:
            a_new_agent_wakes,
            new_keys_wake,
            a_move_wakes,
            a_deletion_wakes,
            a_sync_that_is_asked_for_wakes,
            a_new_integration_wakes,
            a_changed_integration_wakes,
            a_removed_integration_wakes,
            a_released_lease_wakes,
            work_left_over_by_a_completion_wakes,
        }
    };
}
