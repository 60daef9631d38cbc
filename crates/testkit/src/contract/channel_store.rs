//! What every `ChannelStore` promises about making and finding channels.

use std::time::Duration;

use futures_util::future::join_all;
use nora_kernel::{Reach, Sealed};
use nora_webhooks::ports::{ChannelOwner, InsertChannelError};
use nora_webhooks::{SecretRole, StoredChannel, StoredSecret};
use serde_json::json;

use crate::Fixture;
use crate::samples::{named, workspace};
use crate::scene::{Scene, foreign, within};

/// Tries to add a channel and checks that a refusal leaves neither its line nor its answer behind.
async fn refused(scene: &Scene<'_>, stored: &StoredChannel) -> InsertChannelError {
    let (line, answer) = (scene.samples.line_in(&stored.workspace), scene.samples.answer("refused"));
    let error = scene.channels().insert(stored, &line, Some(&answer)).await.unwrap_err();
    assert!(!scene.has_line(&line).await);
    let found = scene.idempotency().find(&answer.principal, &answer.route, &answer.key, scene.now()).await;
    assert_eq!(found.unwrap(), None);
    error
}

pub async fn every_field_survives(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    let mut stored = scene.samples.unkeyed_channel(&agent);
    let channel = &mut stored.channel;
    let config = json!({"header": "x-é", "nul": "\u{0}", "deep": {"list": [1, -2.5, true, null, ""]}});
    channel.config = config.as_object().cloned().unwrap();
    (channel.kind, channel.name) = (named("standard-webhooks"), named("Übersicht 'x'"));
    (channel.enabled, channel.paused) = (false, true);
    channel.updated_at = scene.now().after(Duration::from_micros(1));
    let expires_at = Some(scene.now().after(Duration::from_hours(24)));
    let old = StoredSecret { sealed: Sealed(vec![0, 255]), expires_at, ..scene.samples.channel_secret() };
    scene.advance(Duration::from_secs(1));
    let token = StoredSecret { role: SecretRole::VerifyToken, ..scene.samples.channel_secret() };
    stored.secrets = vec![scene.samples.channel_secret(), token, old];
    stored.secrets.sort_by_key(|secret| std::cmp::Reverse((secret.created_at, secret.id)));
    scene.open(&stored).await;

    let (agent_id, id) = (agent.agent.id, stored.channel.id);
    let found = scene.channels().find(&Reach::Everything, agent_id, id).await.unwrap();
    assert_eq!(found, Some((stored.clone(), agent.key)));
    assert_eq!(scene.channels().list(&Reach::Everything, agent_id).await.unwrap(), Some(vec![stored.channel]));
}

pub async fn an_owner_is_known_within_its_reach(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let (agent, gateway) = (scene.add_agent().await, scene.samples.agent_behind("ws://10.0.0.3:18789"));
    scene.insert(&gateway).await;
    for (agent, has_url) in [(&agent, true), (&gateway, false)] {
        let owner =
            ChannelOwner { workspace: workspace(), key: agent.key.clone(), kind: agent.agent.runtime.kind, has_url };
        let (store, id) = (scene.channels(), agent.agent.id);
        assert_eq!(store.owner(&within(&workspace()), id).await.unwrap(), Some(owner));
        assert_eq!(store.owner(&foreign(), id).await.unwrap(), None);
    }
    scene.delete(&agent).await;
    assert_eq!(scene.channels().owner(&Reach::Everything, agent.agent.id).await.unwrap(), None);
}

pub async fn insert_writes_its_line_and_answer(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    let (stored, line, answer) = (scene.samples.channel(&agent), scene.samples.line(), scene.samples.answer("one"));
    scene.channels().insert(&stored, &line, Some(&answer)).await.unwrap();
    assert!(scene.has_line(&line).await);
    let found = scene.idempotency().find(&answer.principal, &answer.route, &answer.key, scene.now()).await;
    assert_eq!(found.unwrap(), Some(answer));
    assert_eq!(scene.channel(&stored).await, Some(stored));
}

pub async fn an_absent_agent_gets_no_channel(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let deleted = scene.add_agent().await;
    scene.delete(&deleted).await;
    for absent in [scene.samples.agent(), deleted] {
        let error = refused(&scene, &scene.samples.channel(&absent)).await;
        assert!(matches!(error, InsertChannelError::AgentNotFound), "{error:?}");
    }
}

pub async fn an_agent_of_another_workspace_gets_no_channel(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    let stored = StoredChannel { workspace: named("beta"), ..scene.samples.channel(&agent) };
    assert!(matches!(refused(&scene, &stored).await, InsertChannelError::AgentNotFound));
    assert_eq!(scene.channel(&stored).await, None);
}

pub async fn an_id_is_taken_once(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let first = scene.add_channel().await;
    for agent in [first.channel.agent, scene.add_agent().await.agent.id] {
        let mut second = first.clone();
        (second.channel.agent, second.channel.name) = (agent, named("Another"));
        second.secrets = vec![scene.samples.channel_secret()];
        assert!(matches!(refused(&scene, &second).await, InsertChannelError::Exists));
    }
    assert_eq!(scene.channel(&first).await, Some(first));
}

pub async fn a_repeated_request_adds_nothing(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    let (first, second) = (scene.samples.channel(&agent), scene.samples.channel(&agent));
    let answer = scene.samples.answer("one");
    scene.channels().insert(&first, &scene.samples.line(), Some(&answer)).await.unwrap();
    for repeated in [&first, &second] {
        let line = scene.samples.line();
        let error = scene.channels().insert(repeated, &line, Some(&answer)).await.unwrap_err();
        assert!(matches!(error, InsertChannelError::IdempotencyTaken(_)), "{error:?}");
        assert!(!scene.has_line(&line).await);
    }
    assert_eq!(scene.channel(&second).await, None);
}

pub async fn of_two_twins_one_is_added(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    let twins = (0..8).map(|number| {
        let store = if number % 2 == 0 { scene.channels() } else { scene.elsewhere().channels() };
        let (stored, line, answer) = (scene.samples.channel(&agent), scene.samples.line(), scene.samples.answer("one"));
        tokio::spawn(async move { store.insert(&stored, &line, Some(&answer)).await })
    });
    let results = join_all(twins).await.into_iter().map(|result| result.unwrap());
    let (added, refused): (Vec<_>, Vec<_>) = results.partition(Result::is_ok);
    assert!(refused.iter().all(|result| matches!(result, Err(InsertChannelError::IdempotencyTaken(_)))), "{refused:?}");
    let listed = scene.channels().list(&Reach::Everything, agent.agent.id).await.unwrap().unwrap();
    assert_eq!((added.len(), listed.len()), (1, 1));
}

pub async fn list_is_newest_first(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    assert_eq!(scene.channels().list(&Reach::Everything, agent.agent.id).await.unwrap(), Some(Vec::new()));
    let mut newest_first = Vec::new();
    for wait in [0, 0, 1, 0] {
        scene.advance(Duration::from_micros(wait));
        newest_first.insert(0, scene.add_channel_of(&agent).await.channel);
    }
    assert_eq!(scene.channels().list(&Reach::Everything, agent.agent.id).await.unwrap(), Some(newest_first));
}

pub async fn list_keeps_to_its_reach(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    let stored = scene.add_channel_of(&agent).await;
    scene.add_channel().await;
    let (store, id) = (scene.channels(), agent.agent.id);
    assert_eq!(store.list(&within(&workspace()), id).await.unwrap(), Some(vec![stored.channel]));
    assert_eq!(store.list(&foreign(), id).await.unwrap(), None);
    assert_eq!(store.list(&Reach::Everything, scene.samples.agent().agent.id).await.unwrap(), None);
    scene.delete(&agent).await;
    assert_eq!(store.list(&Reach::Everything, id).await.unwrap(), None);
}

pub async fn find_keeps_to_its_reach(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let (agent, other) = (scene.add_agent().await, scene.add_agent().await);
    let stored = scene.add_channel_of(&agent).await;
    let (id, store) = (stored.channel.id, scene.channels());
    assert_eq!(store.find(&within(&workspace()), agent.agent.id, id).await.unwrap(), Some((stored, agent.key.clone())));
    assert_eq!(store.find(&foreign(), agent.agent.id, id).await.unwrap(), None);
    assert_eq!(store.find(&Reach::Everything, other.agent.id, id).await.unwrap(), None);
    scene.delete(&agent).await;
    assert_eq!(store.find(&Reach::Everything, agent.agent.id, id).await.unwrap(), None);
}

pub async fn locate_follows_the_revision(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    let stored = scene.add_channel_of(&agent).await;
    let (store, id) = (scene.elsewhere().channels(), stored.channel.id);
    assert_eq!(store.locate(id).await.unwrap(), Some((agent.agent.id, workspace(), 1)));
    scene.change_channel(&scene.samples.channel_update(&stored)).await;
    assert_eq!(store.locate(id).await.unwrap(), Some((agent.agent.id, workspace(), 2)));
    assert_eq!(store.locate(scene.samples.channel(&agent).channel.id).await.unwrap(), None);
    scene.delete(&agent).await;
    assert_eq!(store.locate(id).await.unwrap(), None);
}

#[macro_export]
macro_rules! channel_store_contract {
    ($fixture:expr) => {
        $crate::contract_cases! { $fixture => channel_store:
            every_field_survives,
            an_owner_is_known_within_its_reach,
            insert_writes_its_line_and_answer,
            an_absent_agent_gets_no_channel,
            an_agent_of_another_workspace_gets_no_channel,
            an_id_is_taken_once,
            a_repeated_request_adds_nothing,
            of_two_twins_one_is_added,
            list_is_newest_first,
            list_keeps_to_its_reach,
            find_keeps_to_its_reach,
            locate_follows_the_revision,
        }
    };
}
