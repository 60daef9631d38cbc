//! What every `EventStore` promises about finding events.

use std::time::Duration;

use nora_kernel::{EventId, PageRequest, Reach};
use nora_webhooks::ports::EventFilter;
use nora_webhooks::{EventState, StoredChannel};

use crate::Fixture;
use crate::samples::{named, workspace};
use crate::scene::{Scene, foreign, within};

async fn listed(scene: &Scene<'_>, channel: &StoredChannel, state: Option<EventState>) -> Vec<EventId> {
    let (channel, filter) = (&channel.channel, EventFilter { state });
    let listed =
        scene.events().list(&Reach::Everything, channel.agent, channel.id, filter, PageRequest::default()).await;
    listed.unwrap().unwrap().items.iter().map(|event| event.id).collect()
}

pub async fn list_is_newest_first(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let (channel, other) = (scene.add_channel().await, scene.add_channel().await);
    assert_eq!(listed(&scene, &channel, None).await, []);
    let mut newest_first = Vec::new();
    for wait in [0, 0, 1, 0, 1] {
        scene.advance(Duration::from_micros(wait));
        newest_first.insert(0, scene.add_event(&channel).await.id);
        scene.add_event(&other).await;
    }
    assert_eq!(listed(&scene, &channel, None).await, newest_first);
}

pub async fn list_shows_what_find_shows(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let channel = scene.add_channel().await;
    let event = scene.add_event(&channel).await;
    let claim = scene.claim_delivery().await;
    scene.failed(&claim, None).await;
    let (id, agent, filter) = (channel.channel.id, channel.channel.agent, EventFilter::default());
    let page = scene.events().list(&Reach::Everything, agent, id, filter, PageRequest::default()).await;
    assert_eq!(page.unwrap().unwrap().items, [scene.event(&channel, &event).await]);
}

pub async fn list_keeps_to_one_state(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let channel = scene.add_channel().await;
    let mut events = Vec::new();
    for _ in 0..6 {
        events.push(scene.add_event(&channel).await.id);
        scene.advance(Duration::from_secs(1));
    }
    for _ in 0..2 {
        let claim = scene.claim_delivery().await;
        scene.failed(&claim, None).await;
        scene.deliver_one().await;
    }
    let (newest_first, state) = (|indexes: [usize; 2]| indexes.map(|index| events[index]), Some);
    assert_eq!(listed(&scene, &channel, state(EventState::Dead)).await, newest_first([2, 0]));
    assert_eq!(listed(&scene, &channel, state(EventState::Delivered)).await, newest_first([3, 1]));
    assert_eq!(listed(&scene, &channel, state(EventState::Pending)).await, newest_first([5, 4]));
    events.reverse();
    assert_eq!(listed(&scene, &channel, None).await, events);
}

pub async fn list_comes_in_pages(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let channel = scene.add_channel().await;
    let mut newest_first = Vec::new();
    for number in 0..7 {
        newest_first.insert(0, scene.add_event(&channel).await.id);
        scene.advance(Duration::from_micros(number % 2));
    }
    scene.deliver_one().await;
    for state in [None, Some(EventState::Pending)] {
        let expected = if state.is_some() { &newest_first[..6] } else { &newest_first };
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = PageRequest { limit: named("3"), after };
            let (id, agent) = (channel.channel.id, channel.channel.agent);
            let page = scene.events().list(&Reach::Everything, agent, id, EventFilter { state }, page).await;
            let page = page.unwrap().unwrap();
            seen.extend(page.items.iter().map(|event| event.id));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(seen, expected);
    }
}

pub async fn events_keep_to_their_reach(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    let (channel, other) = (scene.add_channel_of(&agent).await, scene.add_channel().await);
    let event = scene.add_event(&channel).await;
    let (events, filter, page) = (scene.events(), EventFilter::default(), PageRequest::default());
    let (id, owner) = (channel.channel.id, agent.agent.id);
    let everything = Reach::Everything;
    assert!(events.list(&within(&workspace()), owner, id, filter, page).await.unwrap().is_some());
    assert!(events.find(&within(&workspace()), owner, id, event.id).await.unwrap().is_some());
    for (reach, agent, channel) in [
        (&foreign(), owner, id),
        (&everything, other.channel.agent, id),
        (&everything, owner, scene.samples.channel(&agent).channel.id),
    ] {
        assert_eq!(events.list(reach, agent, channel, filter, page).await.unwrap(), None);
        assert_eq!(events.find(reach, agent, channel, event.id).await.unwrap(), None);
    }
    let found = events.find(&everything, other.channel.agent, other.channel.id, event.id).await;
    assert_eq!(found.unwrap(), None, "it is another channel's");
    scene.delete(&agent).await;
    assert_eq!(events.list(&everything, owner, id, filter, page).await.unwrap(), None);
    assert_eq!(events.find(&everything, owner, id, event.id).await.unwrap(), None);
}

#[macro_export]
macro_rules! event_store_contract {
    ($fixture:expr) => {
        $crate::contract_cases! { $fixture => event_store:
            list_is_newest_first,
            list_shows_what_find_shows,
            list_keeps_to_one_state,
            list_comes_in_pages,
            events_keep_to_their_reach,
        }
    };
}
