//! What every `ChannelStore` promises about changing and removing channels.

use std::time::Duration;

use futures_util::future::join_all;
use nora_kernel::{PageRequest, Reach};
use nora_webhooks::ports::{Appended, ChangeChannelError, ChannelUpdate, EventFilter};
use nora_webhooks::{StoredChannel, Verification};
use serde_json::json;

use crate::Fixture;
use crate::samples::{named, workspace};
use crate::scene::{Scene, foreign, within};

/// Tries a change and checks that a refusal leaves neither its line nor its answer behind.
async fn refused(scene: &Scene<'_>, update: &ChannelUpdate) -> ChangeChannelError {
    let (line, answer) = (scene.samples.line(), scene.samples.answer("refused"));
    let error = scene.channels().update(update, &line, Some(&answer)).await.unwrap_err();
    assert!(!scene.has_line(&line).await);
    let found = scene.idempotency().find(&answer.principal, &answer.route, &answer.key, scene.now()).await;
    assert_eq!(found.unwrap(), None);
    error
}

pub async fn a_change_writes_everything_and_its_line(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let (stored, other) = (scene.add_channel().await, scene.add_channel().await);
    let update = ChannelUpdate {
        config: json!({"events": []}).as_object().cloned().unwrap(),
        verification: Verification::Handshake,
        enrol_until: Some(scene.now().after(Duration::from_hours(1))),
        enabled: false,
        paused: true,
        ..scene.samples.channel_update(&stored)
    };
    let (line, answer) = (scene.samples.line(), scene.samples.answer("one"));
    scene.channels().update(&update, &line, Some(&answer)).await.unwrap();
    assert!(scene.has_line(&line).await);
    let found = scene.idempotency().find(&answer.principal, &answer.route, &answer.key, scene.now()).await;
    assert_eq!(found.unwrap(), Some(answer));

    let mut changed = StoredChannel { revision: 2, enrol_until: update.enrol_until, ..stored.clone() };
    let channel = &mut changed.channel;
    (channel.name, channel.config) = (update.name, update.config);
    (channel.verification, channel.enabled, channel.paused) = (Verification::Handshake, false, true);
    channel.updated_at = update.updated_at;
    assert_eq!(scene.channel(&stored).await, Some(changed));
    assert_eq!(scene.channel(&other).await, Some(other));
}

pub async fn a_change_from_an_older_revision_is_a_conflict(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let stored = scene.add_channel().await;
    scene.change_channel(&scene.samples.channel_update(&stored)).await;
    let changed = scene.channel(&stored).await;
    let stale = ChannelUpdate { name: named("Stale"), ..scene.samples.channel_update(&stored) };
    assert!(matches!(refused(&scene, &stale).await, ChangeChannelError::Conflict));
    assert_eq!(scene.channel(&stored).await, changed);
}

pub async fn what_is_absent_is_not_changed(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let (agent, other) = (scene.add_agent().await, scene.add_agent().await);
    let stored = scene.add_channel_of(&agent).await;
    let of_another = ChannelUpdate { agent: other.agent.id, ..scene.samples.channel_update(&stored) };
    let unknown = scene.samples.channel_update(&scene.samples.channel(&agent));
    for update in [&of_another, &unknown] {
        assert!(matches!(refused(&scene, update).await, ChangeChannelError::NotFound));
    }
    let removed = scene.add_channel_of(&agent).await;
    assert!(scene.remove_channel(&removed).await);
    scene.delete(&agent).await;
    for gone in [&removed, &stored] {
        let error = refused(&scene, &scene.samples.channel_update(gone)).await;
        assert!(matches!(error, ChangeChannelError::NotFound), "{error:?}");
    }
}

pub async fn of_changes_at_once_one_is_made(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let stored = scene.add_channel().await;
    let changes = (0..8).map(|number| {
        let store = if number % 2 == 0 { scene.channels() } else { scene.elsewhere().channels() };
        let name = named(&format!("Name {number}"));
        let (update, line) = (ChannelUpdate { name, ..scene.samples.channel_update(&stored) }, scene.samples.line());
        tokio::spawn(async move { store.update(&update, &line, None).await })
    });
    let results = join_all(changes).await.into_iter().map(|result| result.unwrap());
    let (made, refused): (Vec<_>, Vec<_>) = results.partition(Result::is_ok);
    assert!(refused.iter().all(|result| matches!(result, Err(ChangeChannelError::Conflict))), "{refused:?}");
    assert_eq!((made.len(), scene.channel(&stored).await.unwrap().revision), (1, 2));
}

pub async fn a_repeated_request_changes_nothing(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let stored = scene.add_channel().await;
    let (update, answer) = (scene.samples.channel_update(&stored), scene.samples.answer("one"));
    scene.channels().update(&update, &scene.samples.line(), Some(&answer)).await.unwrap();
    let changed = scene.channel(&stored).await;
    let again = ChannelUpdate { from_revision: 2, name: named("Again"), ..update.clone() };
    for repeated in [&update, &again] {
        let line = scene.samples.line();
        let error = scene.channels().update(repeated, &line, Some(&answer)).await.unwrap_err();
        assert!(matches!(error, ChangeChannelError::IdempotencyTaken(_)), "{error:?}");
        assert!(!scene.has_line(&line).await);
    }
    assert_eq!(scene.channel(&stored).await, changed);
}

pub async fn a_removed_channel_is_absent_everywhere(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    let (stored, kept) = (scene.add_channel_of(&agent).await, scene.add_channel_of(&agent).await);
    let event = scene.add_event(&stored).await;
    let (id, line) = (stored.channel.id, scene.samples.line());
    let removed = scene.channels().remove(&within(&workspace()), agent.agent.id, id, &line).await.unwrap();
    assert_eq!((removed, scene.has_line(&line).await), (true, true));

    let elsewhere = scene.elsewhere();
    assert_eq!(scene.channel(&stored).await, None);
    assert_eq!(elsewhere.channels().locate(id).await.unwrap(), None);
    assert_eq!(elsewhere.channels().load_to_open(id, &scene.samples.line()).await.unwrap(), None);
    let listed = scene.channels().list(&Reach::Everything, agent.agent.id).await.unwrap();
    assert_eq!(listed, Some(vec![kept.channel]));
    assert_eq!(scene.stored_event(&stored, event.id).await, None);
    let events = scene.events();
    let (filter, page) = (EventFilter::default(), PageRequest::default());
    assert_eq!(events.list(&Reach::Everything, agent.agent.id, id, filter, page).await.unwrap(), None);
    assert!(!scene.replay(&stored, &event).await);
    assert_eq!(scene.receive(&scene.samples.event(&stored)).await, Appended::ChannelGone);
    assert!(scene.no_delivery_is_due().await);
    assert_eq!(scene.deliveries().next_due().await.unwrap(), None);
}

pub async fn what_is_absent_is_not_removed(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let (agent, other) = (scene.add_agent().await, scene.add_agent().await);
    let stored = scene.add_channel_of(&agent).await;
    let (id, everything) = (stored.channel.id, Reach::Everything);
    let line = scene.samples.line();
    assert!(!scene.channels().remove(&foreign(), agent.agent.id, id, &line).await.unwrap());
    assert!(!scene.channels().remove(&everything, other.agent.id, id, &line).await.unwrap());
    assert_eq!(scene.channel(&stored).await.as_ref(), Some(&stored));
    assert!(scene.remove_channel(&stored).await);
    assert!(!scene.channels().remove(&everything, agent.agent.id, id, &line).await.unwrap());
    let last = scene.add_channel_of(&agent).await;
    scene.delete(&agent).await;
    assert!(!scene.channels().remove(&everything, agent.agent.id, last.channel.id, &line).await.unwrap());
    assert!(!scene.has_line(&line).await);
}

pub async fn a_removal_has_an_end_to_what_comes_in(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let stored = scene.add_channel().await;
    let senders = (0..8).map(|number| {
        let inbox = if number % 2 == 0 { scene.inbox() } else { scene.elsewhere().inbox() };
        let events: Vec<_> = (0..10).map(|lane| scene.samples.event_in(&stored, &format!("{number} {lane}"))).collect();
        tokio::spawn(async move { inbox.append(&events).await.unwrap() })
    });
    let senders: Vec<_> = senders.collect();
    assert!(scene.remove_channel(&stored).await);
    for sent in join_all(senders).await {
        let sent = sent.unwrap();
        assert!(sent.iter().all(|appended| *appended == sent[0]), "a batch is kept or it is not: {sent:?}");
    }
    assert!(scene.no_delivery_is_due().await, "whatever came in before the removal went with it");
}

#[macro_export]
macro_rules! channel_change_contract {
    ($fixture:expr) => {
        $crate::contract_cases! { $fixture => channel_change:
            a_change_writes_everything_and_its_line,
            a_change_from_an_older_revision_is_a_conflict,
            what_is_absent_is_not_changed,
            of_changes_at_once_one_is_made,
            a_repeated_request_changes_nothing,
            a_removed_channel_is_absent_everywhere,
            what_is_absent_is_not_removed,
            a_removal_has_an_end_to_what_comes_in,
        }
    };
}
