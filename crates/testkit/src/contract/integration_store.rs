//! What every `IntegrationStore` promises about adding, finding and opening integrations.

use std::time::Duration;

use futures_util::future::join_all;
use nora_integrations::ports::{InsertError, NewIntegration};
use nora_integrations::{Integration, StoredIntegration};
use nora_kernel::{Label, Reach};
use serde_json::json;

use crate::Fixture;
use crate::samples::{named, workspace};
use crate::scene::{Scene, foreign, within};

/// Tries to add `new` and checks that a refusal leaves neither its line nor its answer behind.
async fn refused(scene: &Scene<'_>, new: &NewIntegration) -> InsertError {
    let (line, answer) = (scene.samples.line_in(&new.workspace), scene.samples.answer("refused"));
    let error = scene.integrations().insert(new, &line, Some(&answer)).await.unwrap_err();
    assert!(!scene.has_line(&line).await);
    let found = scene.idempotency().find(&answer.principal, &answer.route, &answer.key, scene.now()).await;
    assert_eq!(found.unwrap(), None);
    error
}

fn stored(new: &NewIntegration, generation: u64) -> StoredIntegration {
    let NewIntegration { integration, workspace, secrets } = new.clone();
    StoredIntegration { integration, workspace, secrets, secrets_version: 1, generation }
}

async fn opened(scene: &Scene<'_>, reach: &Reach, new: &NewIntegration) -> (bool, bool) {
    let Integration { agent, id, .. } = new.integration;
    let line = scene.samples.line();
    let found = scene.integrations().find_to_open(reach, agent, id, &line).await.unwrap();
    (found.is_some(), scene.has_line(&line).await)
}

pub async fn every_field_survives(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    let mut new = scene.samples.integration_labelled(&agent, &named("prod-eu"));
    let config = json!({"url": "https://é.example/'x'", "nul": "\u{0}", "deep": {"list": [1, -2.5, true, null, ""]}});
    new.integration.config = config.as_object().cloned().unwrap();
    new.integration.secret_fields = vec![named("z_last"), named("a_first")];
    new.integration.updated_at = scene.now().after(Duration::from_micros(1));
    scene.connect(&new).await;

    let (agent_id, id) = (agent.agent.id, new.integration.id);
    let found = scene.integrations().find(&Reach::Everything, agent_id, id).await.unwrap();
    assert_eq!(found, Some((stored(&new, 2), agent.key)));
    let listed = scene.integrations().list(&Reach::Everything, agent_id).await.unwrap();
    assert_eq!(listed, Some(vec![new.integration]));
}

pub async fn no_secrets_are_not_empty_secrets(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    let new = scene.samples.integration_without_secrets(&agent);
    scene.connect(&new).await;
    assert_eq!(scene.integration(&new).await, Some(stored(&new, 2)));
}

pub async fn an_agents_key_keeps_to_its_reach(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    let id = agent.agent.id;
    let expected = Some((workspace(), agent.key.clone()));
    assert_eq!(scene.integrations().agent_key(&within(&workspace()), id).await.unwrap(), expected);
    assert_eq!(scene.integrations().agent_key(&Reach::Everything, id).await.unwrap(), expected);
    assert_eq!(scene.integrations().agent_key(&foreign(), id).await.unwrap(), None);
    scene.delete(&agent).await;
    assert_eq!(scene.integrations().agent_key(&Reach::Everything, id).await.unwrap(), None);
}

pub async fn insert_raises_the_generation_once(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_synced_agent().await;
    let (new, line, answer) = (scene.samples.integration(&agent), scene.samples.line(), scene.samples.answer("one"));
    scene.integrations().insert(&new, &line, Some(&answer)).await.unwrap();
    assert_eq!(scene.integration(&new).await, Some(stored(&new, 2)));
    assert_eq!((scene.desired(&agent).await, scene.has_line(&line).await), (2, true));
    let found = scene.idempotency().find(&answer.principal, &answer.route, &answer.key, scene.now()).await;
    assert_eq!(found.unwrap(), Some(answer));
    assert_eq!(scene.claim_one().await.target, agent.target.id);
}

pub async fn concurrent_inserts_raise_it_once_each(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    let news: Vec<NewIntegration> =
        (0..12).map(|number| scene.samples.integration_labelled(&agent, &named(&format!("label-{number}")))).collect();
    let inserts = news.iter().enumerate().map(|(number, new)| {
        let store = if number % 2 == 0 { scene.integrations() } else { scene.elsewhere().integrations() };
        let (new, line) = (new.clone(), scene.samples.line());
        tokio::spawn(async move { store.insert(&new, &line, None).await.unwrap() })
    });
    for inserted in join_all(inserts).await {
        inserted.unwrap();
    }
    let mut generations = Vec::new();
    for new in &news {
        generations.push(scene.integration(new).await.unwrap().generation);
    }
    generations.sort_unstable();
    assert_eq!(generations, (2..=13).collect::<Vec<u64>>());
    assert_eq!(scene.desired(&agent).await, 13);
}

pub async fn an_absent_agent_is_not_connected(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let deleted = scene.add_agent().await;
    scene.delete(&deleted).await;
    for absent in [scene.samples.agent(), deleted] {
        let new = scene.samples.integration(&absent);
        assert!(matches!(refused(&scene, &new).await, InsertError::AgentNotFound));
    }
}

pub async fn an_agent_of_another_workspace_is_not_connected(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    let new = NewIntegration { workspace: named("beta"), ..scene.samples.integration(&agent) };
    assert!(matches!(refused(&scene, &new).await, InsertError::AgentNotFound));
    assert_eq!((scene.integration(&new).await, scene.desired(&agent).await), (None, 1));
}

pub async fn a_second_connection_under_a_label_is_refused(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    let first = scene.add_integration(&agent).await;
    let second = scene.samples.integration(&agent);
    match refused(&scene, &second).await {
        InsertError::Exists(id) => assert_eq!(id, first.integration.id),
        other => panic!("{other:?}"),
    }
    assert_eq!((scene.integration(&second).await, scene.desired(&agent).await), (None, 2));
}

pub async fn other_labels_providers_and_agents_do_not_collide(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let (agent, other) = (scene.add_agent().await, scene.add_agent().await);
    let first = scene.add_integration(&agent).await;
    let labelled = scene.samples.integration_labelled(&agent, &named("second"));
    let elsewhere = scene.samples.integration_without_secrets(&agent);
    let others = scene.samples.integration(&other);
    for new in [&labelled, &elsewhere, &others] {
        scene.connect(new).await;
    }
    for new in [first, labelled, elsewhere, others] {
        assert!(scene.integration(&new).await.is_some(), "{new:?}");
    }
}

pub async fn a_repeated_request_adds_nothing(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    let (first, answer) = (scene.samples.integration(&agent), scene.samples.answer("one"));
    scene.integrations().insert(&first, &scene.samples.line(), Some(&answer)).await.unwrap();

    let second = scene.samples.integration_labelled(&agent, &named("second"));
    for repeated in [&first, &second] {
        let line = scene.samples.line();
        let error = scene.integrations().insert(repeated, &line, Some(&answer)).await.unwrap_err();
        assert!(matches!(error, InsertError::IdempotencyTaken(_)), "{error:?}");
        assert!(!scene.has_line(&line).await);
    }
    assert_eq!((scene.integration(&second).await, scene.desired(&agent).await), (None, 2));
}

pub async fn of_two_twins_one_is_added(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    let twins = (0..8).map(|number| {
        let store = if number % 2 == 0 { scene.integrations() } else { scene.elsewhere().integrations() };
        let new = scene.samples.integration_labelled(&agent, &named(&format!("label-{number}")));
        let (line, answer) = (scene.samples.line(), scene.samples.answer("one"));
        tokio::spawn(async move { store.insert(&new, &line, Some(&answer)).await })
    });
    let results = join_all(twins).await.into_iter().map(|result| result.unwrap());
    let (added, refused): (Vec<_>, Vec<_>) = results.partition(Result::is_ok);
    assert_eq!((added.len(), scene.desired(&agent).await), (1, 2));
    assert!(refused.iter().all(|result| matches!(result, Err(InsertError::IdempotencyTaken(_)))), "{refused:?}");
}

pub async fn list_is_newest_first(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    assert_eq!(scene.integrations().list(&Reach::Everything, agent.agent.id).await.unwrap(), Some(Vec::new()));
    let mut newest_first = Vec::new();
    for (number, wait) in [0, 0, 1, 0].into_iter().enumerate() {
        scene.advance(Duration::from_micros(wait));
        let label: Label = named(&format!("label-{number}"));
        let new = scene.samples.integration_labelled(&agent, &label);
        scene.connect(&new).await;
        newest_first.insert(0, new.integration);
    }
    assert_eq!(scene.integrations().list(&Reach::Everything, agent.agent.id).await.unwrap(), Some(newest_first));
}

pub async fn list_keeps_to_its_reach(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let (agent, other) = (scene.add_agent().await, scene.add_agent().await);
    let new = scene.add_integration(&agent).await;
    scene.add_integration(&other).await;
    let id = agent.agent.id;
    let store = scene.integrations();
    assert_eq!(store.list(&within(&workspace()), id).await.unwrap(), Some(vec![new.integration]));
    assert_eq!(store.list(&foreign(), id).await.unwrap(), None);
    assert_eq!(store.list(&Reach::Everything, scene.samples.agent().agent.id).await.unwrap(), None);
    scene.delete(&agent).await;
    assert_eq!(store.list(&Reach::Everything, id).await.unwrap(), None);
}

pub async fn find_keeps_to_its_reach(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let (agent, other) = (scene.add_agent().await, scene.add_agent().await);
    let new = scene.add_integration(&agent).await;
    let (id, store) = (new.integration.id, scene.integrations());
    assert!(store.find(&within(&workspace()), agent.agent.id, id).await.unwrap().is_some());
    assert_eq!(store.find(&foreign(), agent.agent.id, id).await.unwrap(), None);
    assert_eq!(store.find(&Reach::Everything, other.agent.id, id).await.unwrap(), None);
    scene.delete(&agent).await;
    assert_eq!(store.find(&Reach::Everything, agent.agent.id, id).await.unwrap(), None);
}

pub async fn opening_writes_its_line(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    let new = scene.add_integration(&agent).await;
    assert_eq!(opened(&scene, &within(&workspace()), &new).await, (true, true));

    let found = scene.integrations().find(&Reach::Everything, agent.agent.id, new.integration.id).await.unwrap();
    let line = scene.samples.line();
    let store = scene.integrations();
    let to_open = store.find_to_open(&Reach::Everything, agent.agent.id, new.integration.id, &line).await.unwrap();
    assert_eq!((to_open, scene.desired(&agent).await), (found, 2));
}

pub async fn opening_what_is_absent_writes_no_line(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    let new = scene.add_integration(&agent).await;
    assert_eq!(opened(&scene, &foreign(), &new).await, (false, false));
    let unknown = scene.samples.integration(&agent);
    assert_eq!(opened(&scene, &Reach::Everything, &unknown).await, (false, false));
    scene.delete(&agent).await;
    assert_eq!(opened(&scene, &Reach::Everything, &new).await, (false, false));
}

pub async fn opening_no_secrets_writes_no_line(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    let new = scene.samples.integration_without_secrets(&agent);
    scene.connect(&new).await;
    assert_eq!(opened(&scene, &Reach::Everything, &new).await, (true, false));
}

#[macro_export]
macro_rules! integration_store_contract {
    ($fixture:expr) => {
        $crate::contract_cases! { $fixture => integration_store:
            every_field_survives,
            no_secrets_are_not_empty_secrets,
            an_agents_key_keeps_to_its_reach,
            insert_raises_the_generation_once,
            concurrent_inserts_raise_it_once_each,
            an_absent_agent_is_not_connected,
            an_agent_of_another_workspace_is_not_connected,
            a_second_connection_under_a_label_is_refused,
            other_labels_providers_and_agents_do_not_collide,
            a_repeated_request_adds_nothing,
            of_two_twins_one_is_added,
            list_is_newest_first,
            list_keeps_to_its_reach,
            find_keeps_to_its_reach,
            opening_writes_its_line,
            opening_what_is_absent_writes_no_line,
            opening_no_secrets_writes_no_line,
        }
    };
}
