//! What every `EventStore` promises about replays.

use std::time::Duration;

use futures_util::future::join_all;
use nora_kernel::{EventId, Reach};
use nora_webhooks::ports::{Held, NewEvent, ReplayRange};
use nora_webhooks::{EventState, StoredChannel};

use crate::Fixture;
use crate::samples::workspace;
use crate::scene::{Scene, foreign, within};

async fn replay_range(scene: &Scene<'_>, channel: &StoredChannel, range: ReplayRange, limit: u32) -> Option<u64> {
    let (channel, line) = (&channel.channel, scene.samples.line());
    let replayed =
        scene.events().replay_range(&Reach::Everything, channel.agent, channel.id, range, limit, &line).await;
    assert_eq!(scene.has_line(&line).await, matches!(replayed, Ok(Some(_))));
    replayed.unwrap()
}

/// Six events, a second apart, all delivered.
async fn delivered_events(scene: &Scene<'_>, channel: &StoredChannel) -> Vec<NewEvent> {
    let mut events = Vec::new();
    for _ in 0..6 {
        events.push(scene.add_event(channel).await);
        scene.advance(Duration::from_secs(1));
        scene.deliver_one().await;
    }
    events
}

fn ids(events: &[NewEvent]) -> Vec<EventId> {
    events.iter().map(|event| event.id).collect()
}

pub async fn a_replay_delivers_the_event_once_more(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let channel = scene.add_channel().await;
    let event = scene.add_event(&channel).await;
    let first = scene.claim_delivery().await;
    scene.delivered(&first).await;
    let (line, agent) = (scene.samples.line(), channel.channel.agent);
    let events = scene.events();
    assert!(events.replay(&within(&workspace()), agent, channel.channel.id, event.id, &line).await.unwrap());
    assert!(scene.has_line(&line).await);
    let shown = scene.event(&channel, &event).await;
    assert_eq!((shown.state, shown.attempts, shown.replayed), (EventState::Pending, 1, true));

    let claim = scene.claim_delivery().await;
    assert_eq!((claim.event, claim.replay, claim.attempt), (event.id, true, 1));
    assert!(claim.sequence > first.sequence);
    assert_eq!(scene.delivered(&claim).await, Held::Yes);
    let shown = scene.event(&channel, &event).await;
    assert_eq!((shown.state, shown.attempts, shown.replayed), (EventState::Delivered, 2, true));
    assert!(scene.no_delivery_is_due().await);
}

pub async fn a_dead_event_comes_back_to_life(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let channel = scene.add_channel().await;
    let event = scene.add_event(&channel).await;
    let claim = scene.claim_delivery().await;
    scene.failed(&claim, None).await;
    assert!(scene.replay(&channel, &event).await);
    assert_eq!(scene.deliver_one().await, event.id);
    let shown = scene.event(&channel, &event).await;
    assert_eq!((shown.state, shown.last_error), (EventState::Delivered, None));
}

pub async fn a_replay_stands_at_the_end_of_its_lane(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let channel = scene.add_channel().await;
    let old = scene.add_event_in(&channel, "lane").await;
    scene.deliver_one().await;
    let waiting = scene.add_event_in(&channel, "lane").await;
    assert!(scene.replay(&channel, &old).await);
    let later = scene.add_event_in(&channel, "lane").await;
    assert_eq!(scene.deliver_all().await, [waiting.id, old.id, later.id]);
}

pub async fn a_replay_follows_a_delivery_that_waits(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let channel = scene.add_channel().await;
    let event = scene.add_event(&channel).await;
    assert!(scene.replay(&channel, &event).await);
    let first = scene.claim_delivery().await;
    assert!(!first.replay);
    assert_eq!(scene.delivered(&first).await, Held::Yes);
    assert_eq!(scene.event(&channel, &event).await.state, EventState::Pending);
    let second = scene.claim_delivery().await;
    assert_eq!((second.event, second.replay), (event.id, true));
    assert_eq!(scene.delivered(&second).await, Held::Yes);
    assert_eq!(scene.event(&channel, &event).await.state, EventState::Delivered);
}

pub async fn a_replay_follows_a_delivery_under_way(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let channel = scene.add_channel().await;
    let event = scene.add_event(&channel).await;
    let mut under_way = scene.claim_delivery().await;
    for _ in 0..3 {
        assert!(scene.replay(&channel, &event).await);
        assert!(scene.no_delivery_is_due().await);
        assert_eq!(scene.delivered(&under_way).await, Held::Yes);
        assert_eq!(scene.event(&channel, &event).await.state, EventState::Pending);
        under_way = scene.claim_delivery().await;
        assert_eq!((under_way.event, under_way.replay), (event.id, true));
    }
    scene.delivered(&under_way).await;
    assert!(scene.no_delivery_is_due().await);
}

pub async fn a_replay_not_begun_counts_for_the_next(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let channel = scene.add_channel().await;
    let event = scene.add_event(&channel).await;
    scene.deliver_one().await;
    let replays = (0..8).map(|number| {
        let events = if number % 2 == 0 { scene.events() } else { scene.elsewhere().events() };
        let (channel, line, id) = (channel.channel.clone(), scene.samples.line(), event.id);
        tokio::spawn(async move { events.replay(&Reach::Everything, channel.agent, channel.id, id, &line).await })
    });
    for replayed in join_all(replays).await {
        assert!(replayed.unwrap().unwrap());
    }
    assert_eq!(scene.deliver_all().await, [event.id]);
    assert_eq!(scene.event(&channel, &event).await.attempts, 2);
}

pub async fn what_is_absent_is_not_replayed(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let (channel, other) = (scene.add_channel().await, scene.add_channel().await);
    let event = scene.add_event(&channel).await;
    scene.deliver_one().await;
    let (events, line) = (scene.events(), scene.samples.line());
    let (agent, id) = (channel.channel.agent, channel.channel.id);
    assert!(!events.replay(&foreign(), agent, id, event.id, &line).await.unwrap());
    assert!(!events.replay(&Reach::Everything, other.channel.agent, id, event.id, &line).await.unwrap());
    assert!(!scene.replay(&other, &event).await);
    assert!(!scene.replay(&channel, &scene.samples.event(&channel)).await);
    let nothing = ReplayRange::default();
    assert_eq!(events.replay_range(&foreign(), agent, id, nothing, 10, &line).await.unwrap(), None);
    assert!(!scene.has_line(&line).await);
    assert!(scene.no_delivery_is_due().await);
}

pub async fn a_range_is_replayed_oldest_first(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let (channel, other) = (scene.add_channel().await, scene.add_channel().await);
    let events = delivered_events(&scene, &channel).await;
    scene.add_event(&other).await;
    scene.deliver_one().await;
    assert_eq!(replay_range(&scene, &channel, ReplayRange::default(), 100).await, Some(6));
    let claim = scene.claim_delivery().await;
    assert!(claim.replay);
    scene.delivered(&claim).await;
    let mut delivered = vec![claim.event];
    delivered.extend(scene.deliver_all().await);
    assert_eq!(delivered, ids(&events));
}

pub async fn a_range_has_two_ends_and_a_limit(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let channel = scene.add_channel().await;
    let events = delivered_events(&scene, &channel).await;
    let range = ReplayRange { state: None, from: Some(events[1].received_at), to: Some(events[4].received_at) };
    assert_eq!(replay_range(&scene, &channel, range, 100).await, Some(3));
    assert_eq!(scene.deliver_all().await, ids(&events[1..4]));
    assert_eq!(replay_range(&scene, &channel, range, 2).await, Some(2));
    assert_eq!(scene.deliver_all().await, ids(&events[1..3]));
    let nothing = ReplayRange { to: Some(events[0].received_at), ..ReplayRange::default() };
    assert_eq!(replay_range(&scene, &channel, nothing, 2).await, Some(0));
    assert!(scene.no_delivery_is_due().await);
}

pub async fn a_range_keeps_to_one_state(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let channel = scene.add_channel().await;
    delivered_events(&scene, &channel).await;
    let dead = [scene.add_event(&channel).await, scene.add_event_in(&channel, "another lane").await];
    for claim in scene.claim_deliveries(10).await {
        scene.failed(&claim, None).await;
    }
    let range = ReplayRange { state: Some(EventState::Dead), ..ReplayRange::default() };
    assert_eq!(replay_range(&scene, &channel, range, 100).await, Some(2));
    assert_eq!(scene.deliver_all().await, ids(&dead));
    assert_eq!(replay_range(&scene, &channel, range, 100).await, Some(0));
}

pub async fn a_range_counts_replays_that_wait(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let channel = scene.add_channel().await;
    let events = delivered_events(&scene, &channel).await;
    assert!(scene.replay(&channel, &events[3]).await);
    assert_eq!(replay_range(&scene, &channel, ReplayRange::default(), 100).await, Some(6));
    let delivered = scene.deliver_all().await;
    assert_eq!((delivered[0], delivered.len()), (events[3].id, 6));
}

#[macro_export]
macro_rules! event_replay_contract {
    ($fixture:expr) => {
        $crate::contract_cases! { $fixture => event_replay:
            a_replay_delivers_the_event_once_more,
            a_dead_event_comes_back_to_life,
            a_replay_stands_at_the_end_of_its_lane,
            a_replay_follows_a_delivery_that_waits,
            a_replay_follows_a_delivery_under_way,
            a_replay_not_begun_counts_for_the_next,
            what_is_absent_is_not_replayed,
            a_range_is_replayed_oldest_first,
            a_range_has_two_ends_and_a_limit,
            a_range_keeps_to_one_state,
            a_range_counts_replays_that_wait,
        }
    };
}
