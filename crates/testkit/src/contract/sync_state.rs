//! What every `SyncStore` promises about the state it shows and when the next target is due.

use std::time::Duration;

use nora_integrations::ports::RemovalRecord;
use nora_kernel::{Label, Reach};

use crate::Fixture;
use crate::samples::{named, workspace};
use crate::scene::{CHECK, LEASE, Scene, foreign, within};

pub async fn state_keeps_to_its_reach(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    let (id, sync) = (agent.agent.id, scene.sync());
    assert!(sync.state(&within(&workspace()), id).await.unwrap().is_some());
    assert!(sync.state(&Reach::Everything, id).await.unwrap().is_some());
    assert!(sync.state(&foreign(), id).await.unwrap().is_none());
    assert!(sync.state(&Reach::Everything, scene.samples.agent().agent.id).await.unwrap().is_none());
    scene.delete(&agent).await;
    assert!(sync.state(&Reach::Everything, id).await.unwrap().is_none());
}

pub async fn a_new_agent_has_confirmed_nothing(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    let state = scene.state(&agent).await;
    assert_eq!((state.desired, state.applied, state.last_synced_at, state.last_failure), (1, 0, None, None));
    assert_eq!((state.next_attempt_at, state.variables.len()), (Some(scene.now()), 0));
    assert!(state.integrations.is_empty() && state.removals.is_empty());
}

pub async fn integrations_come_newest_first_with_their_generations(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    let mut news = Vec::new();
    for (number, wait) in [0, 0, 1].into_iter().enumerate() {
        scene.advance(Duration::from_micros(wait));
        let label: Label = named(&format!("label-{number}"));
        let new = scene.samples.integration_labelled(&agent, &label);
        scene.connect(&new).await;
        news.push(new);
    }
    scene.integrations().update(&scene.samples.integration_update(&news[0]), &scene.samples.line()).await.unwrap();
    let changed = scene.integration(&news[0]).await.unwrap().integration;
    let expected = vec![(news[2].integration.clone(), 4), (news[1].integration.clone(), 3), (changed, 5)];
    assert_eq!(scene.state(&agent).await.integrations, expected);
}

pub async fn a_removal_remembers_what_it_was(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    let new = scene.samples.integration_labelled(&agent, &named("prod"));
    scene.connect(&new).await;
    let names = [named("GITHUB_TOKEN__PROD"), named("A_NAME")];
    let (id, line) = (new.integration.id, scene.samples.line());
    scene.integrations().remove(&Reach::Everything, agent.agent.id, id, &names, &line).await.unwrap();
    let record = RemovalRecord {
        integration: id,
        provider: named("github"),
        label: named("prod"),
        names: names.to_vec(),
        confirmed_at: None,
    };
    assert_eq!(scene.state(&agent).await.removals, [record]);
}

pub async fn the_newest_hundred_removals_are_shown(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let (agent, other) = (scene.add_agent().await, scene.add_agent().await);
    let mut newest_first = Vec::new();
    for _ in 0..101 {
        scene.advance(Duration::from_secs(1));
        let new = scene.add_integration(&agent).await;
        scene.disconnect(&new).await;
        newest_first.insert(0, new.integration.id);
    }
    newest_first.truncate(100);
    let removals = scene.state(&agent).await.removals;
    assert_eq!(removals.iter().map(|removal| removal.integration).collect::<Vec<_>>(), newest_first);
    assert!(scene.state(&other).await.removals.is_empty());
}

pub async fn nothing_is_due_in_an_empty_store(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    assert_eq!(scene.sync().next_due().await.unwrap(), None);
}

pub async fn the_next_push_is_due_when_its_attempt_comes(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    scene.add_agent().await;
    assert_eq!(scene.sync().next_due().await.unwrap(), Some(scene.now()));
    let claim = scene.claim_one().await;
    scene.fail(&claim, Some(Duration::from_mins(2)), Some(1)).await;
    let next = scene.now().after(Duration::from_mins(2));
    assert_eq!(scene.sync().next_due().await.unwrap(), Some(next));
}

pub async fn a_leased_target_is_due_when_its_lease_ends(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    scene.add_agent().await;
    let claim = scene.claim_one().await;
    assert_eq!(scene.sync().next_due().await.unwrap(), Some(scene.now().after(LEASE)));
    scene.sync().renew(&claim, scene.now().after(LEASE * 2)).await.unwrap();
    assert_eq!(scene.sync().next_due().await.unwrap(), Some(scene.now().after(LEASE * 2)));
}

pub async fn a_target_in_step_is_due_for_its_check(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_synced_agent().await;
    let check = scene.now().after(CHECK);
    assert_eq!(scene.sync().next_due().await.unwrap(), Some(check));
    scene.advance(Duration::from_secs(1));
    scene.request_sync(&agent).await;
    assert_eq!(scene.sync().next_due().await.unwrap(), Some(scene.now()));
}

pub async fn a_permanent_failure_has_no_next_time(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    scene.add_agent().await;
    scene.block().await;
    assert_eq!(scene.sync().next_due().await.unwrap(), None);
}

pub async fn a_blocked_purge_is_due_when_patience_ends(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_synced_agent().await;
    let until = scene.delete(&agent).await;
    scene.block().await;
    assert_eq!(scene.sync().next_due().await.unwrap(), Some(until));
}

pub async fn the_earliest_of_many_is_next(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    for wait in [30, 10, 20] {
        scene.add_agent().await;
        let claim = scene.claim_one().await;
        scene.fail(&claim, Some(Duration::from_secs(wait)), Some(1)).await;
    }
    assert_eq!(scene.sync().next_due().await.unwrap(), Some(scene.now().after(Duration::from_secs(10))));
}

#[macro_export]
macro_rules! sync_state_contract {
    ($fixture:expr) => {
        $crate::contract_cases! { $fixture => sync_state:
            state_keeps_to_its_reach,
            a_new_agent_has_confirmed_nothing,
            integrations_come_newest_first_with_their_generations,
            a_removal_remembers_what_it_was,
            the_newest_hundred_removals_are_shown,
            nothing_is_due_in_an_empty_store,
            the_next_push_is_due_when_its_attempt_comes,
            a_leased_target_is_due_when_its_lease_ends,
            a_target_in_step_is_due_for_its_check,
            a_permanent_failure_has_no_next_time,
            a_blocked_purge_is_due_when_patience_ends,
            the_earliest_of_many_is_next,
        }
    };
}
