//! What every `DeliveryStore` promises about which deliveries are claimed, and in which order.

use std::collections::HashSet;
use std::time::Duration;

use futures_util::future::join_all;
use nora_kernel::EventId;
use nora_webhooks::ports::{Appended, DeliveryClaim, Held, NewEvent};

use crate::Fixture;
use crate::scene::{LEASE, Scene};

fn events(claims: &[DeliveryClaim]) -> Vec<EventId> {
    claims.iter().map(|claim| claim.event).collect()
}

pub async fn a_claim_says_what_is_claimed(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let channel = scene.add_channel().await;
    let event = scene.add_event(&channel).await;
    let claim = scene.claim_delivery().await;
    assert_eq!((claim.event, claim.channel, claim.agent), (event.id, channel.channel.id, channel.channel.agent));
    assert_eq!((claim.replay, claim.attempt, claim.begun_at), (false, 1, scene.now()));
}

pub async fn only_the_first_of_a_lane_is_claimed(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let channel = scene.add_channel().await;
    let batch = [(); 3].map(|()| scene.samples.event(&channel));
    scene.append(&batch).await;
    for event in batch {
        let claim = scene.claim_delivery().await;
        assert_eq!(claim.event, event.id);
        assert!(scene.no_delivery_is_due().await);
        assert_eq!(scene.delivered(&claim).await, Held::Yes);
    }
    assert!(scene.no_delivery_is_due().await);
}

pub async fn a_lane_waits_for_its_first_to_be_tried_again(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let channel = scene.add_channel().await;
    let (first, second) = (scene.add_event(&channel).await, scene.add_event(&channel).await);
    let claim = scene.claim_delivery().await;
    assert_eq!(scene.failed(&claim, Some(Duration::from_secs(8))).await, Held::Yes);
    scene.add_event(&channel).await;
    scene.almost(Duration::from_secs(8));
    assert!(scene.no_delivery_is_due().await);
    scene.advance(Duration::from_micros(1));
    assert_eq!(scene.deliver_one().await, first.id);
    assert_eq!(scene.deliver_one().await, second.id);
}

pub async fn lanes_go_on_without_each_other(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    let (channel, other) = (scene.add_channel_of(&agent).await, scene.add_channel_of(&agent).await);
    let mut firsts = Vec::new();
    for (channel, lane) in [(&channel, "a"), (&channel, "b"), (&other, "a")] {
        firsts.push(scene.add_event_in(channel, lane).await.id);
        scene.add_event_in(channel, lane).await;
    }
    assert_eq!(events(&scene.claim_deliveries(10).await), firsts);
}

pub async fn claims_keep_to_their_limit(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let channel = scene.add_channel().await;
    for lane in 0..5 {
        scene.add_event_in(&channel, &lane.to_string()).await;
    }
    for left in [2, 2, 1, 0] {
        assert_eq!(scene.claim_deliveries(2).await.len(), left);
    }
}

pub async fn those_due_longest_come_first(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let channel = scene.add_channel().await;
    let mut waiting = Vec::new();
    for lane in 0..4 {
        waiting.push(scene.add_event_in(&channel, &lane.to_string()).await.id);
        scene.advance(Duration::from_secs(1));
    }
    // The first fails and waits again, so it goes to the end.
    let first = scene.claim_deliveries(1).await.remove(0);
    scene.failed(&first, Some(Duration::from_secs(1))).await;
    scene.advance(Duration::from_secs(1));
    waiting.rotate_left(1);
    let mut claimed = events(&scene.claim_deliveries(2).await);
    claimed.extend(events(&scene.claim_deliveries(2).await));
    assert_eq!(claimed, waiting);
}

pub async fn an_agent_gets_no_more_than_its_share(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let (crowded, other, third) = (scene.add_channel().await, scene.add_channel().await, scene.add_channel().await);
    for lane in 0..30 {
        scene.add_event_in(&crowded, &lane.to_string()).await;
    }
    scene.advance(Duration::from_secs(1));
    let (one, two) = (scene.add_event(&other).await, scene.add_event(&third).await);
    let claims = scene.deliveries().claim(10, 3, &[], LEASE, scene.now()).await.unwrap();
    let of_crowded = claims.iter().filter(|claim| claim.channel == crowded.channel.id).count();
    assert_eq!((claims.len(), of_crowded), (5, 3));
    assert_eq!(events(&claims)[3..], [one.id, two.id]);
}

pub async fn busy_agents_are_passed_over(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let (busy, other) = (scene.add_channel().await, scene.add_channel().await);
    scene.add_event(&busy).await;
    let event = scene.add_event(&other).await;
    let busy = [busy.channel.agent];
    let claims = scene.deliveries().claim(10, 10, &busy, LEASE, scene.now()).await.unwrap();
    assert_eq!(events(&claims), [event.id]);
    assert_eq!(scene.claim_deliveries(10).await.len(), 1);
}

pub async fn a_paused_channel_waits(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let channel = scene.add_channel().await;
    let first = scene.add_event(&channel).await;
    scene.pause(&channel, true).await;
    let (second, in_new_lane) = (scene.add_event(&channel).await, scene.add_event_in(&channel, "new").await);
    assert!(scene.no_delivery_is_due().await);
    assert_eq!(scene.deliveries().next_due().await.unwrap(), None);
    assert_eq!(scene.event(&channel, &second).await.attempts, 0);

    scene.pause(&channel, false).await;
    assert_eq!(scene.deliver_all().await, [first.id, in_new_lane.id, second.id]);
}

pub async fn what_waited_for_a_channel_is_due_at_once(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let channel = scene.add_channel().await;
    let event = scene.add_event(&channel).await;
    let claim = scene.claim_delivery().await;
    scene.failed(&claim, Some(Duration::from_hours(1))).await;
    scene.pause(&channel, true).await;
    scene.pause(&channel, false).await;
    assert_eq!(scene.deliver_one().await, event.id);
}

pub async fn a_delivery_under_way_ends_also_when_its_channel_pauses(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let channel = scene.add_channel().await;
    scene.add_event(&channel).await;
    let second = scene.add_event(&channel).await;
    let claim = scene.claim_delivery().await;
    scene.pause(&channel, true).await;
    assert_eq!(scene.delivered(&claim).await, Held::Yes);
    assert!(scene.no_delivery_is_due().await);
    scene.pause(&channel, false).await;
    assert_eq!(scene.deliver_one().await, second.id);
}

pub async fn pausing_misses_nothing_that_comes_in_meanwhile(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let channel = scene.add_channel().await;
    let senders = (0..8).map(|number| {
        let inbox = if number % 2 == 0 { scene.inbox() } else { scene.elsewhere().inbox() };
        let event = scene.samples.event_in(&channel, &number.to_string());
        tokio::spawn(async move { assert_eq!(inbox.append(&[event]).await.unwrap(), [Appended::Kept]) })
    });
    let senders: Vec<_> = senders.collect();
    scene.pause(&channel, true).await;
    for sender in join_all(senders).await {
        sender.unwrap();
    }
    assert!(scene.no_delivery_is_due().await);
    scene.pause(&channel, false).await;
    assert_eq!(scene.claim_deliveries(10).await.len(), 8);
}

pub async fn a_deleted_agent_is_delivered_nothing(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    let channel = scene.add_channel_of(&agent).await;
    scene.add_event(&channel).await;
    scene.add_event_in(&channel, "another").await;
    scene.delete(&agent).await;
    assert!(scene.no_delivery_is_due().await);
    assert_eq!(scene.deliveries().next_due().await.unwrap(), None);
}

pub async fn no_delivery_is_claimed_twice(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let channel = scene.add_channel().await;
    let batch: Vec<NewEvent> = (0..40).map(|lane| scene.samples.event_in(&channel, &lane.to_string())).collect();
    scene.append(&batch).await;
    let now = scene.now();
    let claimers = (0..10).map(|number| {
        let store = if number % 2 == 0 { scene.deliveries() } else { scene.elsewhere().deliveries() };
        tokio::spawn(async move {
            let mut claimed = Vec::new();
            loop {
                let claims = store.claim(3, 3, &[], LEASE, now).await.unwrap();
                if claims.is_empty() {
                    break claimed;
                }
                claimed.extend(claims);
            }
        })
    });
    let mut claimed: Vec<DeliveryClaim> =
        join_all(claimers).await.into_iter().flat_map(|claims| claims.unwrap()).collect();
    // Where a claimer passes over lanes that another one is looking at, it may see none and stop early.
    claimed.extend(scene.claim_deliveries(40).await);
    let different: HashSet<EventId> = claimed.iter().map(|claim| claim.event).collect();
    assert_eq!((claimed.len(), different.len()), (40, 40));
}

/// Several workers on two servers take whatever they can get, while events come in.
pub async fn lanes_keep_their_order_whoever_works(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let channel = scene.add_channel().await;
    let batches: Vec<Vec<NewEvent>> = (0..10)
        .map(|_| (0..12).map(|number| scene.samples.event_in(&channel, &(number % 3).to_string())).collect())
        .collect();
    let expected: Vec<EventId> = batches.iter().flatten().map(|event| event.id).collect();
    let now = scene.now();
    let workers = (0..4).map(|number| {
        let store = if number % 2 == 0 { scene.deliveries() } else { scene.elsewhere().deliveries() };
        tokio::spawn(async move {
            let mut ended = Vec::new();
            let mut idle = 0;
            while idle < 200 {
                let claims = store.claim(2, 2, &[], LEASE, now).await.unwrap();
                idle = if claims.is_empty() { idle + 1 } else { 0 };
                for claim in claims {
                    let end = nora_webhooks::ports::DeliveryEnd::Delivered;
                    assert_eq!(store.end(&claim, end, None, now).await.unwrap(), Held::Yes);
                    ended.push(claim);
                }
            }
            ended
        })
    });
    let workers: Vec<_> = workers.collect();
    for batch in &batches {
        assert!(scene.append(batch).await.iter().all(|appended| *appended == Appended::Kept));
    }
    let mut ended: Vec<DeliveryClaim> = join_all(workers).await.into_iter().flat_map(|ended| ended.unwrap()).collect();
    let late = scene.deliver_all().await;
    ended.sort_by_key(|claim| claim.sequence);
    let delivered: Vec<EventId> = events(&ended).into_iter().chain(late).collect();
    for lane in 0..3 {
        let of_lane = |events: &[EventId]| -> Vec<EventId> {
            let in_lane: HashSet<EventId> = expected.iter().skip(lane).step_by(3).copied().collect();
            events.iter().filter(|event| in_lane.contains(event)).copied().collect()
        };
        assert_eq!(of_lane(&delivered), of_lane(&expected));
    }
    assert_eq!(delivered.len(), expected.len());
}

#[macro_export]
macro_rules! delivery_claims_contract {
    ($fixture:expr) => {
        $crate::contract_cases! { $fixture => delivery_claims:
            a_claim_says_what_is_claimed,
            only_the_first_of_a_lane_is_claimed,
            a_lane_waits_for_its_first_to_be_tried_again,
            lanes_go_on_without_each_other,
            claims_keep_to_their_limit,
            those_due_longest_come_first,
            an_agent_gets_no_more_than_its_share,
            busy_agents_are_passed_over,
            a_paused_channel_waits,
            what_waited_for_a_channel_is_due_at_once,
            a_delivery_under_way_ends_also_when_its_channel_pauses,
            pausing_misses_nothing_that_comes_in_meanwhile,
            a_deleted_agent_is_delivered_nothing,
            no_delivery_is_claimed_twice,
            lanes_keep_their_order_whoever_works,
        }
    };
}
