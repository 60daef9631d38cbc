//! What every `EventStore` promises about deleting events.

use std::time::Duration;

use nora_webhooks::ports::{Appended, NewEvent};

use crate::Fixture;
use crate::scene::Scene;

async fn prune(scene: &Scene<'_>, limit: u32) -> u64 {
    scene.events().prune(scene.now(), limit).await.unwrap()
}

/// Prunes until nothing is left to prune.
async fn prune_all(scene: &Scene<'_>) {
    while prune(scene, 100).await > 0 {}
}

pub async fn the_oldest_go_first_and_no_more_than_the_limit(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let channel = scene.add_channel().await;
    let mut events = Vec::new();
    for lane in 0..5 {
        events.push(scene.add_event_in(&channel, &lane.to_string()).await);
        scene.deliver_one().await;
        scene.advance(Duration::from_secs(1));
    }
    assert_eq!(scene.events().prune(events[0].received_at, 10).await.unwrap(), 0);
    assert_eq!(prune(&scene, 2).await, 2);
    for (index, event) in events.iter().enumerate() {
        assert_eq!(scene.stored_event(&channel, event.id).await.is_some(), index >= 2);
    }
    assert_eq!(scene.events().prune(events[4].received_at, 10).await.unwrap(), 2);
    assert!(scene.stored_event(&channel, events[4].id).await.is_some());
}

pub async fn what_has_not_ended_stays(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let channel = scene.add_channel().await;
    let (event, dead) = (scene.add_event(&channel).await, scene.add_event(&channel).await);
    scene.deliver_one().await;
    scene.replay(&channel, &event).await;
    let claim = scene.claim_delivery().await;
    scene.failed(&claim, None).await;
    scene.advance(Duration::from_hours(24 * 365));
    assert_eq!(prune(&scene, 10).await, 1);
    assert_eq!(scene.stored_event(&channel, dead.id).await, None);
    assert_eq!(scene.deliver_one().await, event.id);
    assert_eq!(prune(&scene, 10).await, 1);
}

pub async fn a_deleted_events_key_can_be_claimed_again(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let channel = scene.add_channel().await;
    let event = scene.add_event(&channel).await;
    scene.deliver_one().await;
    let again = NewEvent { dedupe_key: event.dedupe_key, ..scene.samples.event(&channel) };
    assert_eq!(scene.receive(&again).await, Appended::Duplicate);
    scene.advance(Duration::from_secs(1));
    assert_eq!(prune(&scene, 10).await, 1);
    assert_eq!(scene.receive(&again).await, Appended::Kept);
    assert_eq!(scene.deliver_one().await, again.id);
}

pub async fn what_removed_channels_left_goes_and_nothing_else(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    let (removed, kept) = (scene.add_channel().await, scene.add_channel().await);
    let (of_deleted, last) = (scene.add_channel_of(&agent).await, scene.add_event(&kept).await);
    for lane in 0..5 {
        for channel in [&removed, &of_deleted] {
            scene.add_event_in(channel, &lane.to_string()).await;
            scene.add_event_in(channel, "").await;
        }
    }
    scene.remove_channel(&removed).await;
    scene.delete(&agent).await;
    prune_all(&scene).await;
    assert_eq!(scene.deliver_all().await, [last.id]);
    // The id is free again.
    let back = nora_webhooks::StoredChannel { revision: 1, ..removed };
    scene.open(&back).await;
    let event = scene.add_event(&back).await;
    assert_eq!(scene.deliver_all().await, [event.id]);
}

pub async fn lanes_that_were_pruned_are_made_again(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let channel = scene.add_channel().await;
    let first = scene.add_event_in(&channel, "lane").await;
    let lost = scene.claim_delivery().await;
    scene.advance(crate::scene::LEASE);
    scene.deliver_one().await;
    prune(&scene, 10).await;
    assert!(scene.stored_event(&channel, first.id).await.is_none());
    let second = scene.add_event_in(&channel, "lane").await;
    let claim = scene.claim_delivery().await;
    assert_eq!(scene.delivered(&lost).await, nora_webhooks::ports::Held::No);
    assert_eq!((claim.event, claim.attempt), (second.id, 1));
    assert_eq!(scene.delivered(&claim).await, nora_webhooks::ports::Held::Yes);
}

#[macro_export]
macro_rules! event_prune_contract {
    ($fixture:expr) => {
        $crate::contract_cases! { $fixture => event_prune:
            the_oldest_go_first_and_no_more_than_the_limit,
            what_has_not_ended_stays,
            a_deleted_events_key_can_be_claimed_again,
            what_removed_channels_left_goes_and_nothing_else,
            lanes_that_were_pruned_are_made_again,
        }
    };
}
