//! What every `IntegrationStore` promises about changing and removing integrations.

use std::time::Duration;

use futures_util::future::join_all;
use nora_agents::ports::StoredAgent;
use nora_integrations::ports::{IntegrationUpdate, NewIntegration, Removal, ResealedSecrets, UpdateError};
use nora_kernel::{AgentId, Reach};

use crate::Fixture;
use crate::samples::{named, workspace};
use crate::scene::{Scene, foreign};

/// An agent in step with one integration: desired and applied generation are 2.
async fn connected(scene: &Scene<'_>) -> (StoredAgent, NewIntegration) {
    let agent = scene.add_agent().await;
    let new = scene.add_integration(&agent).await;
    scene.sync_once().await;
    (agent, new)
}

async fn refused(scene: &Scene<'_>, update: &IntegrationUpdate) -> UpdateError {
    let line = scene.samples.line();
    let error = scene.integrations().update(update, &line).await.unwrap_err();
    assert!(!scene.has_line(&line).await);
    error
}

async fn removed(scene: &Scene<'_>, reach: &Reach, agent: AgentId, new: &NewIntegration) -> (Removal, bool) {
    let (names, line) = ([named("GITHUB_TOKEN")], scene.samples.line());
    let removal = scene.integrations().remove(reach, agent, new.integration.id, &names, &line).await.unwrap();
    (removal, scene.has_line(&line).await)
}

pub async fn update_replaces_config_and_secrets(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let (agent, new) = connected(&scene).await;
    let (update, line) = (scene.samples.integration_update(&new), scene.samples.line());
    scene.integrations().update(&update, &line).await.unwrap();

    let stored = scene.integration(&new).await.unwrap();
    let resealed = update.secrets.unwrap();
    assert_eq!((stored.secrets, stored.secrets_version, stored.generation), (resealed.sealed, 2, 3));
    assert_eq!((stored.integration.config, stored.integration.secret_fields), (update.config, resealed.fields));
    assert_eq!(stored.integration.updated_at, update.updated_at);
    assert_eq!(stored.integration.created_at, new.integration.created_at);
    assert_eq!((scene.desired(&agent).await, scene.has_line(&line).await), (3, true));
    assert_eq!(scene.claim_one().await.target, agent.target.id);
}

pub async fn update_without_secrets_keeps_them(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let (agent, new) = connected(&scene).await;
    let update = IntegrationUpdate { secrets: None, ..scene.samples.integration_update(&new) };
    scene.integrations().update(&update, &scene.samples.line()).await.unwrap();
    let stored = scene.integration(&new).await.unwrap();
    assert_eq!((stored.secrets, stored.secrets_version), (new.secrets, 1));
    assert_eq!(stored.integration.secret_fields, new.integration.secret_fields);
    assert_eq!((stored.integration.config, scene.desired(&agent).await), (update.config, 3));
}

pub async fn the_last_secret_can_go(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let (_, new) = connected(&scene).await;
    let none_left = ResealedSecrets { sealed: None, fields: Vec::new(), version: 2 };
    let update = IntegrationUpdate { secrets: Some(none_left), ..scene.samples.integration_update(&new) };
    scene.integrations().update(&update, &scene.samples.line()).await.unwrap();
    let stored = scene.integration(&new).await.unwrap();
    assert_eq!((stored.secrets, stored.secrets_version, stored.integration.secret_fields), (None, 2, Vec::new()));
}

pub async fn new_secrets_make_it_readable(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let (_, new) = connected(&scene).await;
    scene.sync().mark_unreadable(new.integration.id, 1, &scene.samples.line()).await.unwrap();
    let mut update = IntegrationUpdate { secrets: None, ..scene.samples.integration_update(&new) };
    scene.integrations().update(&update, &scene.samples.line()).await.unwrap();
    assert!(!scene.integration(&new).await.unwrap().integration.readable, "the secrets are still the old ones");

    update.secrets = scene.samples.integration_update(&new).secrets;
    update.from_updated_at = update.updated_at;
    scene.integrations().update(&update, &scene.samples.line()).await.unwrap();
    assert!(scene.integration(&new).await.unwrap().integration.readable);
}

pub async fn a_change_from_an_old_state_changes_nothing(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let (agent, new) = connected(&scene).await;
    let first = scene.samples.integration_update(&new);
    scene.integrations().update(&first, &scene.samples.line()).await.unwrap();
    scene.sync_once().await;
    let before = scene.integration(&new).await;

    let right = IntegrationUpdate {
        from_version: 2,
        from_updated_at: first.updated_at,
        updated_at: first.updated_at.after(Duration::from_secs(1)),
        ..first.clone()
    };
    let old_secrets = IntegrationUpdate { from_version: 1, ..right.clone() };
    let old_record = IntegrationUpdate { from_updated_at: first.from_updated_at, secrets: None, ..right.clone() };
    for update in [first, old_secrets, old_record] {
        assert!(matches!(refused(&scene, &update).await, UpdateError::Conflict), "{update:?}");
    }
    assert_eq!((scene.integration(&new).await, scene.desired(&agent).await), (before, 3));
    assert!(scene.nothing_is_due().await);
    scene.integrations().update(&right, &scene.samples.line()).await.unwrap();
}

pub async fn of_two_changes_at_once_one_is_made(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let (agent, new) = connected(&scene).await;
    let changes = (0..6).map(|number| {
        let store = if number % 2 == 0 { scene.integrations() } else { scene.elsewhere().integrations() };
        let (update, line) = (scene.samples.integration_update(&new), scene.samples.line());
        tokio::spawn(async move { store.update(&update, &line).await })
    });
    let results = join_all(changes).await.into_iter().map(|result| result.unwrap());
    let (made, refused): (Vec<_>, Vec<_>) = results.partition(Result::is_ok);
    assert_eq!((made.len(), scene.desired(&agent).await), (1, 3));
    assert!(refused.iter().all(|result| matches!(result, Err(UpdateError::Conflict))), "{refused:?}");
}

pub async fn what_is_absent_is_not_changed(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let (agent, new) = connected(&scene).await;
    let update = scene.samples.integration_update(&new);
    let unknown = scene.samples.integration_update(&scene.samples.integration(&agent));
    let others = IntegrationUpdate { agent: scene.add_agent().await.agent.id, ..update.clone() };
    for absent in [unknown, others] {
        assert!(matches!(refused(&scene, &absent).await, UpdateError::NotFound), "{absent:?}");
    }
    scene.delete(&agent).await;
    assert!(matches!(refused(&scene, &update).await, UpdateError::NotFound));
}

pub async fn remove_raises_the_generation_once(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let (agent, new) = connected(&scene).await;
    let reach = Reach::Workspace(workspace());
    assert_eq!(removed(&scene, &reach, agent.agent.id, &new).await, (Removal::Removed, true));
    assert_eq!((scene.integration(&new).await, scene.desired(&agent).await), (None, 3));
    assert_eq!(scene.claim_one().await.target, agent.target.id);
}

pub async fn removing_twice_is_no_error(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let (agent, new) = connected(&scene).await;
    scene.disconnect(&new).await;
    assert_eq!(removed(&scene, &Reach::Everything, agent.agent.id, &new).await, (Removal::Absent, false));
    let state = scene.state(&agent).await;
    assert_eq!((state.desired, state.removals.len()), (3, 1));
}

pub async fn remove_keeps_to_its_reach(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let (agent, new) = connected(&scene).await;
    let other = scene.add_agent().await.agent.id;
    assert_eq!(removed(&scene, &foreign(), agent.agent.id, &new).await, (Removal::Absent, false));
    assert_eq!(removed(&scene, &Reach::Everything, other, &new).await, (Removal::Absent, false));
    assert!(scene.integration(&new).await.is_some());
    assert_eq!(scene.desired(&agent).await, 2);
    scene.delete(&agent).await;
    assert_eq!(removed(&scene, &Reach::Everything, agent.agent.id, &new).await, (Removal::Absent, false));
}

pub async fn a_removed_connection_can_be_made_again(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let (agent, new) = connected(&scene).await;
    scene.disconnect(&new).await;
    let again = scene.add_integration(&agent).await;
    scene.disconnect(&again).await;
    let state = scene.state(&agent).await;
    assert_eq!((state.desired, state.removals.len()), (5, 2));
}

pub async fn no_change_ends_a_permanent_failure(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    scene.block().await;
    let new = scene.add_integration(&agent).await;
    assert!(scene.nothing_is_due().await);
    scene.integrations().update(&scene.samples.integration_update(&new), &scene.samples.line()).await.unwrap();
    assert!(scene.nothing_is_due().await);
    scene.disconnect(&new).await;
    assert!(scene.nothing_is_due().await);
    let state = scene.state(&agent).await;
    assert_eq!((state.desired, state.last_failure.is_some()), (4, true));
}

pub async fn a_change_ends_the_wait_after_a_failure(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    let claim = scene.claim_one().await;
    scene.fail(&claim, Some(Duration::from_hours(1)), Some(1)).await;
    assert!(scene.nothing_is_due().await);
    scene.add_integration(&agent).await;
    assert_eq!(scene.claim_one().await.attempt, 2, "the attempt is the memory of the backoff");
}

#[macro_export]
macro_rules! integration_change_contract {
    ($fixture:expr) => {
        $crate::contract_cases! { $fixture => integration_change:
            update_replaces_config_and_secrets,
            update_without_secrets_keeps_them,
            the_last_secret_can_go,
            new_secrets_make_it_readable,
            a_change_from_an_old_state_changes_nothing,
            of_two_changes_at_once_one_is_made,
            what_is_absent_is_not_changed,
            remove_raises_the_generation_once,
            removing_twice_is_no_error,
            remove_keeps_to_its_reach,
            a_removed_connection_can_be_made_again,
            no_change_ends_a_permanent_failure,
            a_change_ends_the_wait_after_a_failure,
        }
    };
}
