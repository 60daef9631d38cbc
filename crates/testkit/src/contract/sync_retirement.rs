//! What every `SyncStore` promises about targets that no longer belong to their agent.

use std::time::Duration;

use nora_agents::ports::{AgentUpdate, StoredAgent, TargetUpdate};
use nora_integrations::ports::{Claim, Held, Role};

use crate::Fixture;
use crate::samples::workspace;
use crate::scene::{Scene, within};

async fn move_away(scene: &Scene<'_>, agent: &StoredAgent) {
    let update = AgentUpdate {
        id: agent.agent.id,
        revision: agent.revision,
        name: agent.agent.name.clone(),
        updated_at: scene.now(),
        target: TargetUpdate::Move {
            to: scene.samples.target_elsewhere(agent),
            purge_until: scene.now().after(Duration::from_hours(24)),
        },
    };
    scene.agents().update(&update, &scene.samples.line()).await.unwrap();
}

/// Confirms what the claim's target should hold; says whether the line was written.
async fn confirm(scene: &Scene<'_>, claim: &Claim) -> bool {
    let line = scene.samples.line();
    let snapshot = scene.sync().snapshot(claim, &line).await.unwrap().unwrap();
    let line = scene.samples.line();
    let completion = scene.completion(snapshot.generation);
    assert_eq!(scene.sync().complete(claim, &completion, &line).await.unwrap(), Held::Yes);
    scene.has_line(&line).await
}

/// Whether nothing of the agent is left: its key is gone and its id is free.
async fn is_destroyed(scene: &Scene<'_>, agent: &StoredAgent) -> bool {
    if scene.kept_keys().await.contains(&agent.agent.id) {
        return false;
    }
    scene.agents().insert(agent, &scene.samples.line(), None).await.unwrap();
    let state = scene.state(agent).await;
    (state.desired, state.integrations.len(), state.removals.len()) == (1, 0, 0)
}

pub async fn a_confirmed_deletion_destroys_the_agent(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    let (kept, removed) = (scene.add_integration(&agent).await, scene.samples.integration_without_secrets(&agent));
    scene.connect(&removed).await;
    scene.disconnect(&removed).await;
    scene.sync_once().await;
    scene.delete(&agent).await;
    let claim = scene.claim_one().await;
    assert_eq!(scene.kept_keys().await, [agent.agent.id]);
    assert!(confirm(&scene, &claim).await);
    assert!(is_destroyed(&scene, &agent).await);
    assert_eq!(scene.integration(&kept).await, None);
}

pub async fn the_trail_outlives_the_agent(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let (agent, line) = (scene.samples.agent(), scene.samples.line());
    scene.agents().insert(&agent, &line, None).await.unwrap();
    scene.delete(&agent).await;
    let claim = scene.claim_one().await;
    confirm(&scene, &claim).await;
    assert!(scene.has_line(&line).await);
}

pub async fn another_agent_is_not_touched(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let (agent, other) = (scene.add_synced_agent().await, scene.add_synced_agent().await);
    let new = scene.add_integration(&other).await;
    scene.sync_once().await;
    scene.delete(&agent).await;
    let claim = scene.claim_one().await;
    confirm(&scene, &claim).await;
    assert_eq!(scene.kept_keys().await, [other.agent.id]);
    assert!(scene.integration(&new).await.is_some());
    assert!(scene.found(&other).await.is_some());
}

pub async fn the_agent_stays_until_its_last_target_is_gone(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_synced_agent().await;
    move_away(&scene, &agent).await;
    scene.delete(&agent).await;
    let claims = scene.claim(10).await;
    assert_eq!(claims.len(), 2);
    assert!(claims.iter().all(|claim| matches!(claim.role, Role::Retired { agent_deleted: true, .. })), "{claims:?}");

    assert!(confirm(&scene, &claims[0]).await);
    assert_eq!(scene.kept_keys().await, [agent.agent.id]);
    assert!(confirm(&scene, &claims[1]).await);
    assert!(is_destroyed(&scene, &agent).await);
}

pub async fn an_emptied_old_place_leaves_the_agent_alone(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    let new = scene.add_integration(&agent).await;
    scene.sync_once().await;
    move_away(&scene, &agent).await;
    let claims = scene.claim(10).await;
    let old = claims.iter().find(|claim| claim.target == agent.target.id).unwrap();
    assert!(matches!(old.role, Role::Retired { agent_deleted: false, .. }));
    let desired = scene.desired(&agent).await;
    assert!(confirm(&scene, old).await);
    assert_eq!(scene.target(old).await, None);

    scene.sync().release(&claims).await.unwrap();
    assert_ne!(scene.claim_one().await.target, agent.target.id);
    assert!(scene.found(&agent).await.is_some() && scene.integration(&new).await.is_some());
    let state = scene.state(&agent).await;
    assert_eq!((state.desired, state.applied), (desired, 0));
}

pub async fn the_old_place_confirms_no_removal(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    let new = scene.add_integration(&agent).await;
    scene.sync_once().await;
    scene.disconnect(&new).await;
    move_away(&scene, &agent).await;
    let (old, live): (Vec<_>, Vec<_>) =
        scene.claim(10).await.into_iter().partition(|claim| claim.target == agent.target.id);
    confirm(&scene, &old[0]).await;
    assert_eq!(scene.state(&agent).await.removals[0].confirmed_at, None);
    confirm(&scene, &live[0]).await;
    assert_eq!(scene.state(&agent).await.removals[0].confirmed_at, Some(scene.now()));
}

pub async fn a_push_that_began_before_does_not_end_it(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    scene.add_integration(&agent).await;
    let claim = scene.claim_one().await;
    let snapshot = scene.sync().snapshot(&claim, &scene.samples.line()).await.unwrap().unwrap();
    scene.delete(&agent).await;
    // The runtime confirms the integration. It must still be asked to drop it.
    scene.complete(&claim, snapshot.generation).await;
    assert_eq!(scene.kept_keys().await, [agent.agent.id]);
    let claim = scene.claim_one().await;
    assert!(matches!(claim.role, Role::Retired { .. }), "{claim:?}");
    confirm(&scene, &claim).await;
    assert!(is_destroyed(&scene, &agent).await);
}

pub async fn a_deletion_ends_a_permanent_failure(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    scene.block().await;
    scene.delete(&agent).await;
    let claim = scene.claim_one().await;
    assert_eq!((claim.attempt, claim.target), (1, agent.target.id));
}

pub async fn a_failed_purge_is_tried_again(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_synced_agent().await;
    scene.delete(&agent).await;
    let claim = scene.claim_one().await;
    scene.fail(&claim, Some(Duration::from_secs(4)), Some(2)).await;
    assert!(scene.nothing_is_due().await);
    scene.advance(Duration::from_secs(4));
    assert_eq!(scene.claim_one().await.attempt, 2);
    assert_eq!(scene.kept_keys().await, [agent.agent.id]);
}

pub async fn a_purge_is_due_again_when_patience_ends(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let (blocked, waiting) = (scene.add_synced_agent().await, scene.add_synced_agent().await);
    for (agent, wait) in [(&blocked, None), (&waiting, Some(Duration::from_hours(48)))] {
        scene.delete(agent).await;
        let claim = scene.claim_one().await;
        scene.fail(&claim, wait, Some(2)).await;
    }
    scene.almost(Duration::from_hours(24));
    assert!(scene.nothing_is_due().await);
    let now = scene.advance(Duration::from_micros(1));
    let claims = scene.claim(10).await;
    assert_eq!(claims.len(), 2, "{claims:?}");
    assert!(claims.iter().all(|claim| matches!(claim.role, Role::Retired { until, .. } if until <= now)), "{claims:?}");
    assert!(scene.nothing_is_due().await, "both are leased");
}

pub async fn an_abandoned_target_is_forgotten(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let (agent, line) = (scene.add_synced_agent().await, scene.samples.line());
    scene.delete(&agent).await;
    scene.advance(Duration::from_hours(24));
    let claim = scene.claim_one().await;
    assert_eq!(scene.sync().abandon(&claim, &line).await.unwrap(), Held::Yes);
    assert!(scene.has_line(&line).await);
    assert!(scene.nothing_is_due().await);
    assert!(is_destroyed(&scene, &agent).await);
}

pub async fn a_live_target_is_not_abandoned(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let (agent, line) = (scene.add_agent().await, scene.samples.line());
    let claim = scene.claim_one().await;
    assert_eq!(scene.sync().abandon(&claim, &line).await.unwrap(), Held::No);
    assert_eq!(scene.found(&agent).await, Some(agent));
    assert!(!scene.has_line(&line).await);
}

pub async fn a_retired_target_can_be_raised(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_synced_agent().await;
    scene.delete(&agent).await;
    let claim = scene.claim_one().await;
    scene.sync().raise(&claim, 99, scene.now(), &scene.samples.line()).await.unwrap();
    let claim = scene.claim_one().await;
    let snapshot = scene.sync().snapshot(&claim, &scene.samples.line()).await.unwrap().unwrap();
    assert_eq!(snapshot.generation, 100);
    confirm(&scene, &claim).await;
    assert!(is_destroyed(&scene, &agent).await);
}

pub async fn one_that_was_retired_since_it_was_claimed_is_not_raised(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_synced_agent().await;
    scene.add_integration(&agent).await;
    let (claim, line) = (scene.claim_one().await, scene.samples.line());
    move_away(&scene, &agent).await;
    assert_eq!(scene.sync().raise(&claim, 99, scene.now(), &line).await.unwrap(), Held::Yes);
    assert!(!scene.has_line(&line).await, "nothing was raised");
    let claims = scene.claim(10).await;
    let old = claims.iter().find(|claim| claim.target == agent.target.id).unwrap();
    let snapshot = scene.sync().snapshot(old, &scene.samples.line()).await.unwrap().unwrap();
    assert_eq!(snapshot.generation, 3, "the empty set that the move asked for");
}

pub async fn a_retired_target_may_hold_a_newer_generation(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_synced_agent().await;
    move_away(&scene, &agent).await;
    let claims = scene.claim(10).await;
    let old = claims.iter().find(|claim| claim.target == agent.target.id).unwrap();
    // The same machine under another name holds what the new target was pushed.
    assert_eq!(scene.complete(old, 77).await, Held::Yes);
    assert_eq!(scene.target(old).await, None);
    let reach = within(&workspace());
    assert!(scene.sync().state(&reach, agent.agent.id).await.unwrap().is_some());
}

#[macro_export]
macro_rules! sync_retirement_contract {
    ($fixture:expr) => {
        $crate::contract_cases! { $fixture => sync_retirement:
            a_confirmed_deletion_destroys_the_agent,
            the_trail_outlives_the_agent,
            another_agent_is_not_touched,
            the_agent_stays_until_its_last_target_is_gone,
            an_emptied_old_place_leaves_the_agent_alone,
            the_old_place_confirms_no_removal,
            a_push_that_began_before_does_not_end_it,
            a_deletion_ends_a_permanent_failure,
            a_failed_purge_is_tried_again,
            a_purge_is_due_again_when_patience_ends,
            an_abandoned_target_is_forgotten,
            a_live_target_is_not_abandoned,
            a_retired_target_can_be_raised,
            one_that_was_retired_since_it_was_claimed_is_not_raised,
            a_retired_target_may_hold_a_newer_generation,
        }
    };
}
