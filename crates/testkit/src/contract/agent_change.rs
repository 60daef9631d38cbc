//! What every `AgentStore` promises about changing and deleting agents, and about asking for a sync.

use std::time::Duration;

use futures_util::future::join_all;
use nora_agents::Target;
use nora_agents::ports::{AgentUpdate, StoredAgent, TargetUpdate, UpdateAgentError};
use nora_integrations::ports::{Claim, Role};
use nora_kernel::{Reach, Sealed, Timestamp};

use crate::Fixture;
use crate::samples::{named, workspace};
use crate::scene::{Scene, foreign};

/// A change of `agent` as it was read, a second after it was made.
fn update(agent: &StoredAgent, target: TargetUpdate) -> AgentUpdate {
    AgentUpdate {
        id: agent.agent.id,
        revision: agent.revision,
        name: named("Renamed"),
        updated_at: agent.agent.updated_at.after(Duration::from_secs(1)),
        target,
    }
}

fn rekeyed(agent: &StoredAgent) -> Target {
    Target {
        secrets: Sealed(b"sealed again".to_vec()),
        secrets_version: agent.target.secrets_version + 1,
        ..agent.target.clone()
    }
}

async fn change(scene: &Scene<'_>, update: &AgentUpdate) {
    scene.agents().update(update, &scene.samples.line()).await.unwrap();
}

async fn move_away(scene: &Scene<'_>, agent: &StoredAgent) -> (Target, Timestamp) {
    let to = scene.samples.target_elsewhere(agent);
    let purge_until = scene.now().after(Duration::from_hours(24));
    change(scene, &update(agent, TargetUpdate::Move { to: to.clone(), purge_until })).await;
    (to, purge_until)
}

async fn generation(scene: &Scene<'_>, claim: &Claim) -> u64 {
    scene.sync().snapshot(claim, &scene.samples.line()).await.unwrap().unwrap().generation
}

pub async fn a_change_of_name_pushes_nothing(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_synced_agent().await;
    let (update, line) = (update(&agent, TargetUpdate::Keep), scene.samples.line());
    scene.agents().update(&update, &line).await.unwrap();

    let found = scene.found(&agent).await.unwrap();
    assert_eq!((&found.agent.name, found.agent.updated_at), (&update.name, update.updated_at));
    assert_eq!((found.agent.created_at, found.target, found.key), (agent.agent.created_at, agent.target, agent.key));
    assert_ne!(found.revision, agent.revision);
    assert!(scene.has_line(&line).await);
    assert!(scene.nothing_is_due().await);
}

pub async fn a_change_from_an_old_revision_changes_nothing(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_synced_agent().await;
    change(&scene, &update(&agent, TargetUpdate::Keep)).await;
    let (before, line) = (scene.found(&agent).await, scene.samples.line());
    let to = scene.samples.target_elsewhere(&agent);
    for target in
        [TargetUpdate::Keep, TargetUpdate::Rekey(rekeyed(&agent)), TargetUpdate::Move { to, purge_until: scene.now() }]
    {
        let error = scene.agents().update(&update(&agent, target), &line).await.unwrap_err();
        assert!(matches!(error, UpdateAgentError::Conflict), "{error:?}");
    }
    assert_eq!(scene.found(&agent).await, before);
    assert!(!scene.has_line(&line).await);
    assert!(scene.nothing_is_due().await);
}

pub async fn of_two_changes_at_once_one_is_made(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_synced_agent().await;
    let changes = (0..6).map(|number| {
        let agents = if number % 2 == 0 { scene.agents() } else { scene.elsewhere().agents() };
        let (update, line) = (update(&agent, TargetUpdate::Rekey(rekeyed(&agent))), scene.samples.line());
        tokio::spawn(async move { agents.update(&update, &line).await })
    });
    let results = join_all(changes).await.into_iter().map(|result| result.unwrap());
    let (made, refused): (Vec<_>, Vec<_>) = results.partition(Result::is_ok);
    assert_eq!(made.len(), 1);
    assert!(refused.iter().all(|result| matches!(result, Err(UpdateAgentError::Conflict))), "{refused:?}");
    assert_eq!(scene.desired(&agent).await, 2);
}

pub async fn an_absent_agent_is_not_changed(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let (deleted, line) = (scene.add_agent().await, scene.samples.line());
    scene.delete(&deleted).await;
    for absent in [deleted, scene.samples.agent()] {
        let error = scene.agents().update(&update(&absent, TargetUpdate::Keep), &line).await.unwrap_err();
        assert!(matches!(error, UpdateAgentError::NotFound), "{error:?}");
    }
    assert!(!scene.has_line(&line).await);
}

pub async fn new_keys_raise_the_generation_once(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.samples.agent_behind("ws://10.0.0.9:1");
    scene.insert(&agent).await;
    scene.sync_once().await;
    let mut target = rekeyed(&agent);
    target.device_id = Some("f".repeat(64));
    change(&scene, &update(&agent, TargetUpdate::Rekey(target.clone()))).await;

    let found = scene.found(&agent).await.unwrap();
    assert_eq!(found.agent.gateway.map(|gateway| gateway.device_id), target.device_id);
    assert_eq!(found.target, target);
    assert_eq!(scene.desired(&agent).await, 2);
    assert_eq!(scene.claim_one().await.role, Role::Live);
}

pub async fn new_keys_end_a_permanent_failure(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    scene.block().await;
    assert!(scene.nothing_is_due().await);
    change(&scene, &update(&agent, TargetUpdate::Rekey(rekeyed(&agent)))).await;
    assert_eq!(scene.claim_one().await.attempt, 1);
}

pub async fn a_move_retires_the_old_target(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_synced_agent().await;
    let (to, until) = move_away(&scene, &agent).await;
    let found = scene.found(&agent).await.unwrap();
    assert_eq!((&found.target, &found.agent.runtime.url), (&to, &to.url));

    let claims = scene.claim(10).await;
    let role = |target: &Target| claims.iter().find(|claim| claim.target == target.id).map(|claim| claim.role);
    assert_eq!(role(&agent.target), Some(Role::Retired { until, agent_deleted: false }));
    assert_eq!(role(&to), Some(Role::Live));
    assert_eq!(claims.len(), 2);
}

pub async fn generations_grow_over_a_move(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    scene.request_sync(&agent).await;
    let pushed = scene.sync_once().await;
    let (to, _) = move_away(&scene, &agent).await;

    let claims = scene.claim(10).await;
    let (live, retired): (Vec<_>, Vec<_>) = claims.into_iter().partition(|claim| claim.target == to.id);
    let (live, retired) = (&live[0], &retired[0]);
    let (emptied, next) = (generation(&scene, retired).await, generation(&scene, live).await);
    assert!(pushed < emptied && emptied < next, "{pushed} {emptied} {next}");
    assert_eq!((scene.desired(&agent).await, live.applied), (next, 0));
}

pub async fn a_move_ends_a_permanent_failure(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    scene.block().await;
    move_away(&scene, &agent).await;
    let attempts: Vec<u32> = scene.claim(10).await.iter().map(|claim| claim.attempt).collect();
    assert_eq!(attempts, [1, 1]);
    assert_eq!(scene.state(&agent).await.last_failure, None);
}

pub async fn a_move_to_a_gateway_of_others_changes_nothing(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let (other, agent) = (scene.samples.agent_behind("ws://10.0.0.9:1"), scene.add_synced_agent().await);
    scene.insert(&other).await;
    scene.sync_once().await;

    let intruder = scene.samples.agent_behind("ws://10.0.0.9:1");
    let to = Target { agent: agent.agent.id, ..intruder.target };
    let (update, line) = (update(&agent, TargetUpdate::Move { to, purge_until: scene.now() }), scene.samples.line());
    let error = scene.agents().update(&update, &line).await.unwrap_err();
    assert!(matches!(error, UpdateAgentError::GatewayTaken), "{error:?}");
    assert_eq!(scene.found(&agent).await, Some(agent));
    assert!(!scene.has_line(&line).await);
    assert!(scene.nothing_is_due().await);
}

pub async fn a_move_may_keep_its_own_gateway(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.samples.agent_behind("ws://10.0.0.9:1");
    scene.insert(&agent).await;
    let again = scene.samples.agent_behind("ws://10.0.0.9:1");
    let to = Target { agent: agent.agent.id, ..again.target };
    change(&scene, &update(&agent, TargetUpdate::Move { to: to.clone(), purge_until: scene.now() })).await;
    assert_eq!(scene.found(&agent).await.map(|found| found.target), Some(to));
}

pub async fn a_deleted_agent_is_absent(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let (agent, line) = (scene.add_agent().await, scene.samples.line());
    let (id, now) = (agent.agent.id, scene.now());
    assert!(scene.agents().delete(&Reach::Everything, id, now, &line).await.unwrap());
    assert!(scene.has_line(&line).await);

    let refused = scene.samples.line();
    assert_eq!(scene.found(&agent).await, None);
    assert_eq!(scene.agents().list(&workspace(), nora_kernel::PageRequest::default()).await.unwrap().items, []);
    assert!(!scene.agents().delete(&Reach::Everything, id, now, &refused).await.unwrap());
    assert!(!scene.agents().request_sync(&Reach::Everything, id, &refused).await.unwrap());
    assert!(!scene.has_line(&refused).await);
}

pub async fn delete_keeps_to_its_reach(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let (agent, line) = (scene.add_synced_agent().await, scene.samples.line());
    assert!(!scene.agents().delete(&foreign(), agent.agent.id, scene.now(), &line).await.unwrap());
    assert_eq!(scene.found(&agent).await, Some(agent));
    assert!(!scene.has_line(&line).await);
    assert!(scene.nothing_is_due().await);
}

pub async fn a_deleted_agent_is_being_emptied(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_synced_agent().await;
    let until = scene.delete(&agent).await;
    let claim = scene.claim_one().await;
    assert_eq!((claim.target, claim.role), (agent.target.id, Role::Retired { until, agent_deleted: true }));
    assert_eq!(scene.kept_keys().await, [agent.agent.id]);
}

pub async fn a_sync_is_due_when_it_is_asked_for(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let (agent, line) = (scene.add_synced_agent().await, scene.samples.line());
    assert!(scene.agents().request_sync(&Reach::Workspace(workspace()), agent.agent.id, &line).await.unwrap());
    assert_eq!(scene.desired(&agent).await, 2);
    assert!(scene.has_line(&line).await);
    assert_eq!(scene.claim_one().await.target, agent.target.id);
}

pub async fn a_sync_that_is_asked_for_ends_a_failure(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    scene.block().await;
    scene.request_sync(&agent).await;
    let claim = scene.claim_one().await;
    assert_eq!(claim.attempt, 1);

    scene.fail(&claim, Some(Duration::from_hours(1)), Some(2)).await;
    assert!(scene.nothing_is_due().await);
    scene.request_sync(&agent).await;
    assert_eq!(scene.claim_one().await.attempt, 1);
}

pub async fn request_sync_keeps_to_its_reach(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let (agent, line) = (scene.add_synced_agent().await, scene.samples.line());
    assert!(!scene.agents().request_sync(&foreign(), agent.agent.id, &line).await.unwrap());
    assert!(!scene.has_line(&line).await);
    assert!(scene.nothing_is_due().await);
}

#[macro_export]
macro_rules! agent_change_contract {
    ($fixture:expr) => {
        $crate::contract_cases! { $fixture => agent_change:
            a_change_of_name_pushes_nothing,
            a_change_from_an_old_revision_changes_nothing,
            of_two_changes_at_once_one_is_made,
            an_absent_agent_is_not_changed,
            new_keys_raise_the_generation_once,
            new_keys_end_a_permanent_failure,
            a_move_retires_the_old_target,
            generations_grow_over_a_move,
            a_move_ends_a_permanent_failure,
            a_move_to_a_gateway_of_others_changes_nothing,
            a_move_may_keep_its_own_gateway,
            a_deleted_agent_is_absent,
            delete_keeps_to_its_reach,
            a_deleted_agent_is_being_emptied,
            a_sync_is_due_when_it_is_asked_for,
            a_sync_that_is_asked_for_ends_a_failure,
            request_sync_keeps_to_its_reach,
        }
    };
}
