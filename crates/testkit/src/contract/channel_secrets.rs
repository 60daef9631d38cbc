//! What every `ChannelStore` promises about channels' secrets: who sees them, how they change, how one is enrolled.

use std::time::Duration;

use futures_util::future::join_all;
use nora_kernel::Sealed;
use nora_webhooks::ports::{ChannelUpdate, Enrolment, SecretsUpdate};
use nora_webhooks::{StoredChannel, StoredSecret, Verification};

use crate::Fixture;
use crate::scene::Scene;

async fn loaded(scene: &Scene<'_>, stored: &StoredChannel) -> (Option<StoredChannel>, bool) {
    let line = scene.samples.line();
    let found = scene.channels().load_to_open(stored.channel.id, &line).await.unwrap();
    (found.map(|(stored, _)| stored), scene.has_line(&line).await)
}

async fn enrol(scene: &Scene<'_>, stored: &StoredChannel) -> Enrolment {
    let (secret, line) = (scene.samples.channel_secret(), scene.samples.line());
    let enrolment = scene.channels().enrol(stored.channel.id, &secret, scene.now(), &line).await.unwrap();
    assert_eq!(scene.has_line(&line).await, enrolment == Enrolment::Done);
    enrolment
}

async fn replace(scene: &Scene<'_>, stored: &StoredChannel, secrets: Vec<StoredSecret>) {
    let secrets = SecretsUpdate::Replace(secrets);
    scene.change_channel(&ChannelUpdate { secrets, ..scene.samples.channel_update(stored) }).await;
}

pub async fn loading_secrets_writes_its_line(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let stored = scene.add_channel().await;
    assert_eq!(loaded(&scene, &stored).await, (Some(stored), true));
}

pub async fn loading_no_secrets_writes_no_line(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    let stored = scene.samples.open_channel(&agent);
    scene.open(&stored).await;
    assert_eq!(loaded(&scene, &stored).await, (Some(stored), false));
}

pub async fn loading_what_is_absent_writes_no_line(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    assert_eq!(loaded(&scene, &scene.samples.channel(&agent)).await, (None, false));
    let stored = scene.add_channel_of(&agent).await;
    scene.delete(&agent).await;
    assert_eq!(loaded(&scene, &stored).await, (None, false));
}

pub async fn a_change_that_keeps_secrets_keeps_them(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let stored = scene.add_channel().await;
    scene.change_channel(&scene.samples.channel_update(&stored)).await;
    assert_eq!(scene.channel(&stored).await.unwrap().secrets, stored.secrets);
}

pub async fn replaced_secrets_are_the_only_ones(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let (stored, other) = (scene.add_channel().await, scene.add_channel().await);
    scene.advance(Duration::from_secs(1));
    let second = vec![scene.samples.channel_secret()];
    replace(&scene, &stored, second.clone()).await;
    let changed = scene.channel(&stored).await.unwrap();
    assert_eq!((changed.secrets.clone(), changed.revision), (second, 2));
    replace(&scene, &changed, Vec::new()).await;
    assert_eq!(scene.channel(&stored).await.unwrap().secrets, []);
    assert_eq!(scene.channel(&other).await, Some(other));
}

pub async fn a_secret_that_stays_changes_nothing_but_its_end(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let stored = scene.add_channel().await;
    scene.advance(Duration::from_secs(1));
    let ending = StoredSecret { expires_at: Some(scene.now()), ..stored.secrets[0].clone() };
    let rewritten = StoredSecret { sealed: Sealed(b"something else".to_vec()), ..ending.clone() };
    let new = scene.samples.channel_secret();
    replace(&scene, &stored, vec![new.clone(), rewritten]).await;
    assert_eq!(scene.channel(&stored).await.unwrap().secrets, [new, ending]);
}

pub async fn a_refused_change_leaves_the_secrets(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let stored = scene.add_channel().await;
    let update = ChannelUpdate {
        secrets: SecretsUpdate::Replace(vec![scene.samples.channel_secret()]),
        from_revision: 7,
        ..scene.samples.channel_update(&stored)
    };
    assert!(scene.channels().update(&update, &scene.samples.line(), None).await.is_err());
    assert_eq!(scene.channel(&stored).await, Some(stored));
}

pub async fn an_enrolment_keys_the_channel(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    let stored = scene.samples.unkeyed_channel(&agent);
    scene.open(&stored).await;
    let now = scene.almost(Duration::from_hours(1));
    let (secret, line) = (scene.samples.channel_secret(), scene.samples.line());
    let enrolment = scene.channels().enrol(stored.channel.id, &secret, now, &line).await.unwrap();
    assert_eq!((enrolment, scene.has_line(&line).await), (Enrolment::Done, true));

    let keyed = scene.channel(&stored).await.unwrap();
    assert_eq!((keyed.secrets, keyed.enrol_until, keyed.revision), (vec![secret], None, 2));
    assert_eq!((keyed.channel.verification, keyed.channel.updated_at), (Verification::Secret, now));
    assert_eq!(enrol(&scene, &stored).await, Enrolment::Refused);
}

pub async fn an_enrolment_has_its_time(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    let stored = scene.samples.unkeyed_channel(&agent);
    scene.open(&stored).await;
    scene.advance(Duration::from_hours(1));
    assert_eq!(enrol(&scene, &stored).await, Enrolment::Refused);
    assert_eq!(scene.channel(&stored).await, Some(stored));
}

pub async fn only_a_channel_that_waits_is_enrolled(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    let mut disabled = scene.samples.unkeyed_channel(&agent);
    disabled.channel.enabled = false;
    let mut removed = scene.samples.unkeyed_channel(&agent);
    for stored in [&disabled, &removed] {
        scene.open(stored).await;
    }
    assert!(scene.remove_channel(&removed).await);
    let keyed = scene.add_channel_of(&agent).await;
    let unknown = scene.samples.unkeyed_channel(&agent);
    for stored in [&disabled, &removed, &keyed, &unknown] {
        assert_eq!(enrol(&scene, stored).await, Enrolment::Refused);
    }
    removed = scene.samples.unkeyed_channel(&agent);
    scene.open(&removed).await;
    scene.delete(&agent).await;
    assert_eq!(enrol(&scene, &removed).await, Enrolment::Refused);
}

pub async fn of_many_handshakes_one_is_done(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    let stored = scene.samples.unkeyed_channel(&agent);
    scene.open(&stored).await;
    let (id, now) = (stored.channel.id, scene.now());
    let handshakes = (0..12).map(|number| {
        let store = if number % 2 == 0 { scene.channels() } else { scene.elsewhere().channels() };
        let (secret, line) = (scene.samples.channel_secret(), scene.samples.line());
        tokio::spawn(async move { (store.enrol(id, &secret, now, &line).await.unwrap(), secret) })
    });
    let handshakes = join_all(handshakes).await.into_iter().map(|handshake| handshake.unwrap());
    let done: Vec<StoredSecret> =
        handshakes.filter(|(enrolment, _)| *enrolment == Enrolment::Done).map(|(_, secret)| secret).collect();
    assert_eq!(done.len(), 1);
    assert_eq!(scene.channel(&stored).await.unwrap().secrets, done);
}

#[macro_export]
macro_rules! channel_secrets_contract {
    ($fixture:expr) => {
        $crate::contract_cases! { $fixture => channel_secrets:
            loading_secrets_writes_its_line,
            loading_no_secrets_writes_no_line,
            loading_what_is_absent_writes_no_line,
            a_change_that_keeps_secrets_keeps_them,
            replaced_secrets_are_the_only_ones,
            a_secret_that_stays_changes_nothing_but_its_end,
            a_refused_change_leaves_the_secrets,
            an_enrolment_keys_the_channel,
            an_enrolment_has_its_time,
            only_a_channel_that_waits_is_enrolled,
            of_many_handshakes_one_is_done,
        }
    };
}
