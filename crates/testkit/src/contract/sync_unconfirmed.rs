//! What every `SyncStore` promises about what runtimes have not confirmed.

use std::time::Duration;

use nora_agents::RuntimeKind;
use nora_integrations::ports::{Awaited, FailureClass, Unconfirmed};
use nora_kernel::Timestamp;

use crate::Fixture;
use crate::scene::Scene;

fn nora(awaited: Awaited, reason: Option<FailureClass>, count: u64, oldest: Timestamp) -> Unconfirmed {
    Unconfirmed { awaited, kind: RuntimeKind::Nora, reason, count, oldest }
}

async fn unconfirmed(scene: &Scene<'_>) -> Vec<Unconfirmed> {
    scene.sync().unconfirmed().await.unwrap()
}

pub async fn runtimes_in_step_are_not_waited_for(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    assert_eq!(unconfirmed(&scene).await, []);
    scene.add_synced_agent().await;
    assert_eq!(unconfirmed(&scene).await, []);
}

pub async fn a_runtime_is_behind_since_the_first_change_it_misses(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_synced_agent().await;
    let changed = scene.advance(Duration::from_hours(1));
    scene.add_integration(&agent).await;
    scene.advance(Duration::from_mins(1));
    scene.connect(&scene.samples.integration_labelled(&agent, &crate::samples::named("second"))).await;
    assert_eq!(unconfirmed(&scene).await, [nora(Awaited::Sync, None, 1, changed)]);
    let claim = scene.claim_one().await;
    scene.fail(&claim, Some(Duration::from_secs(1)), None).await;
    assert_eq!(unconfirmed(&scene).await, [nora(Awaited::Sync, Some(FailureClass::Timeout), 1, changed)]);
}

pub async fn a_runtime_asked_for_a_sync_is_behind_since_the_last_one(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let created = scene.now();
    let new = scene.add_agent().await;
    assert_eq!(unconfirmed(&scene).await, [nora(Awaited::Sync, None, 1, created)]);
    let synced = scene.advance(Duration::from_mins(1));
    scene.sync_once().await;
    scene.advance(Duration::from_mins(1));
    scene.request_sync(&new).await;
    assert_eq!(unconfirmed(&scene).await, [nora(Awaited::Sync, None, 1, synced)]);
}

pub async fn a_removal_is_awaited_until_it_is_confirmed(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_synced_agent().await;
    let new = scene.add_integration(&agent).await;
    scene.sync_once().await;
    let removed = scene.advance(Duration::from_mins(1));
    scene.disconnect(&new).await;
    let expected = [nora(Awaited::Sync, None, 1, removed), nora(Awaited::Purge, None, 1, removed)];
    assert_eq!(unconfirmed(&scene).await, expected);
    scene.sync_once().await;
    assert_eq!(unconfirmed(&scene).await, []);
}

pub async fn a_retired_runtime_is_awaited_since_it_was_retired(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_synced_agent().await;
    let deleted = scene.advance(Duration::from_mins(1));
    scene.delete(&agent).await;
    assert_eq!(unconfirmed(&scene).await, [nora(Awaited::Purge, None, 1, deleted)]);
    scene.sync_once().await;
    assert_eq!(unconfirmed(&scene).await, []);
}

pub async fn kinds_and_reasons_are_told_apart(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let first = scene.now();
    scene.add_agent().await;
    scene.advance(Duration::from_mins(1));
    scene.add_agent().await;
    let third = scene.advance(Duration::from_mins(1));
    scene.insert(&scene.samples.agent_behind("ws://10.0.0.7:18789")).await;
    let openclaw =
        Unconfirmed { awaited: Awaited::Sync, kind: RuntimeKind::Openclaw, reason: None, count: 1, oldest: third };
    assert_eq!(unconfirmed(&scene).await, [nora(Awaited::Sync, None, 2, first), openclaw]);
}

#[macro_export]
macro_rules! sync_unconfirmed_contract {
    ($fixture:expr) => {
        $crate::contract_cases! { $fixture => sync_unconfirmed:
            runtimes_in_step_are_not_waited_for,
            a_runtime_is_behind_since_the_first_change_it_misses,
            a_runtime_asked_for_a_sync_is_behind_since_the_last_one,
            a_removal_is_awaited_until_it_is_confirmed,
            a_retired_runtime_is_awaited_since_it_was_retired,
            kinds_and_reasons_are_told_apart,
        }
    };
}
