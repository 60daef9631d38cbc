//! What every `DeliveryStore` promises about what an attempt needs, how it ends, and what is left.

use std::time::Duration;

use nora_webhooks::ports::{Backlog, DeliveryEnd, DeliveryFailureClass, Held};
use nora_webhooks::{EventState, Verdict};

use crate::Fixture;
use crate::scene::{LEASE, Scene};

pub async fn fetch_gives_everything_an_attempt_needs(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    let channel = scene.add_channel_of(&agent).await;
    let event = scene.add_event(&channel).await;
    scene.add_event_in(&channel, "another lane").await;
    let claims = scene.claim_deliveries(10).await;
    let delivery = scene.deliveries().fetch(&claims[0]).await.unwrap().unwrap();
    assert_eq!(Some(&delivery.event), scene.stored_event(&channel, event.id).await.as_ref());
    assert_eq!((delivery.event.event.attempts, delivery.event.body), (1, event.body));
    assert_eq!((delivery.kind, delivery.target, delivery.key), (channel.channel.kind, agent.target, agent.key));
}

pub async fn fetch_knows_where_the_agent_lives_now(fixture: &dyn Fixture) {
    use nora_agents::ports::{AgentUpdate, TargetUpdate};
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    let channel = scene.add_channel_of(&agent).await;
    scene.add_event(&channel).await;
    let claim = scene.claim_delivery().await;
    let to = scene.samples.target_elsewhere(&agent);
    let update = AgentUpdate {
        id: agent.agent.id,
        revision: agent.revision,
        name: agent.agent.name,
        updated_at: scene.now(),
        target: TargetUpdate::Move { to: to.clone(), purge_until: scene.now() },
    };
    scene.agents().update(&update, &scene.samples.line()).await.unwrap();
    assert_eq!(scene.deliveries().fetch(&claim).await.unwrap().unwrap().target, to);
}

pub async fn nothing_is_fetched_of_what_is_gone(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    let (removed, kept) = (scene.add_channel().await, scene.add_channel_of(&agent).await);
    scene.add_event(&removed).await;
    let claim = scene.claim_delivery().await;
    scene.remove_channel(&removed).await;
    assert!(scene.deliveries().fetch(&claim).await.unwrap().is_none());
    scene.add_event(&kept).await;
    let claim = scene.claim_delivery().await;
    scene.delete(&agent).await;
    assert!(scene.deliveries().fetch(&claim).await.unwrap().is_none());
}

pub async fn a_delivered_event_says_so(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let channel = scene.add_channel().await;
    let event = scene.add_event(&channel).await;
    let claim = scene.claim_delivery().await;
    scene.failed(&claim, Some(Duration::ZERO)).await;
    let shown = scene.event(&channel, &event).await;
    assert_eq!((shown.state, shown.attempts), (EventState::Pending, 1));
    assert_eq!(shown.last_error, Some(DeliveryFailureClass::Timeout));

    scene.deliver_one().await;
    let shown = scene.event(&channel, &event).await;
    assert_eq!((shown.state, shown.attempts, shown.last_error), (EventState::Delivered, 2, None));
    scene.advance(LEASE);
    assert!(scene.no_delivery_is_due().await);
}

pub async fn a_delivery_that_is_given_up_leaves_its_lane_to_the_next(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let channel = scene.add_channel().await;
    let (dead, next) = (scene.add_event(&channel).await, scene.add_event(&channel).await);
    let claim = scene.claim_delivery().await;
    assert_eq!(scene.failed(&claim, None).await, Held::Yes);
    let shown = scene.event(&channel, &dead).await;
    assert_eq!((shown.state, shown.attempts), (EventState::Dead, 1));
    assert_eq!(shown.last_error, Some(DeliveryFailureClass::Timeout));
    assert_eq!(scene.deliver_one().await, next.id);
}

pub async fn every_class_of_failure_survives(fixture: &dyn Fixture) {
    use nora_webhooks::ports::DeliveryFailure;
    let scene = Scene::of(fixture);
    let channel = scene.add_channel().await;
    let event = scene.add_event(&channel).await;
    for class in [DeliveryFailureClass::Dns, DeliveryFailureClass::BadAnswer, DeliveryFailureClass::Internal] {
        let claim = scene.claim_delivery().await;
        let failure = DeliveryFailure { class, next_attempt_at: Some(scene.now()) };
        scene.end(&claim, DeliveryEnd::Failed(failure)).await;
        assert_eq!(scene.event(&channel, &event).await.last_error, Some(class));
    }
}

pub async fn a_verdict_replaces_the_events(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let channel = scene.add_channel().await;
    let event = scene.add_event(&channel).await;
    let claim = scene.claim_delivery().await;
    assert_eq!(scene.delivered(&claim).await, Held::Yes);
    assert_eq!(scene.event(&channel, &event).await.verdict, Verdict::Verified);
    for verdict in [Verdict::Recorded, Verdict::Refused] {
        scene.replay(&channel, &event).await;
        let claim = scene.claim_delivery().await;
        let end = scene.deliveries().end(&claim, DeliveryEnd::Delivered, Some(verdict), scene.now()).await;
        assert_eq!(end.unwrap(), Held::Yes);
        assert_eq!(scene.event(&channel, &event).await.verdict, verdict);
    }
}

pub async fn the_next_of_a_lane_is_due_at_once(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let channel = scene.add_channel().await;
    scene.add_event(&channel).await;
    let claim = scene.claim_delivery().await;
    scene.failed(&claim, Some(Duration::from_hours(1))).await;
    let second = scene.add_event(&channel).await;
    scene.advance(Duration::from_hours(1));
    let claim = scene.claim_delivery().await;
    scene.delivered(&claim).await;
    assert!(scene.deliveries().next_due().await.unwrap().is_some_and(|due| due <= scene.now()));
    assert_eq!(scene.claim_delivery().await.event, second.id);
}

pub async fn what_comes_while_the_last_one_ends_is_not_forgotten(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let channel = scene.add_channel().await;
    scene.add_event(&channel).await;
    for _ in 0..20 {
        let claim = scene.claim_delivery().await;
        let (event, inbox) = (scene.samples.event(&channel), scene.elsewhere().inbox());
        let (ended, appended) = tokio::join!(scene.delivered(&claim), inbox.append(std::slice::from_ref(&event)));
        assert_eq!((ended, appended.unwrap().len()), (Held::Yes, 1));
    }
    assert_eq!(scene.deliver_all().await.len(), 1);
}

pub async fn attempts_that_end_at_once_end_each_for_itself(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let channel = scene.add_channel().await;
    for lane in 0..12 {
        scene.add_event_in(&channel, &format!("lane {lane}")).await;
    }
    let claims = scene.claim_deliveries(12).await;
    let (lost, kept) = claims.split_at(3);
    scene.deliveries().release(lost).await.unwrap();
    let ended = claims.iter().enumerate().map(async |(place, claim)| match place % 3 {
        0 => scene.delivered(claim).await,
        1 => scene.failed(claim, None).await,
        _ => scene.failed(claim, Some(Duration::from_secs(1))).await,
    });
    let ended = futures_util::future::join_all(ended).await;
    let (of_lost, of_kept) = ended.split_at(3);
    assert_eq!((of_lost, of_kept), ([Held::No; 3].as_slice(), [Held::Yes; 9].as_slice()));

    let states = [EventState::Delivered, EventState::Dead, EventState::Pending];
    for (claim, state) in kept.iter().zip(states.into_iter().cycle()) {
        let stored = scene.stored_event(&channel, claim.event).await.unwrap();
        assert_eq!(stored.event.state, state);
    }
    assert_eq!(scene.claim_deliveries(12).await.len(), lost.len(), "the others have ended or wait");
}

pub async fn next_due_looks_past_leases(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let channel = scene.add_channel().await;
    let store = scene.deliveries();
    assert_eq!(store.next_due().await.unwrap(), None);
    for lane in ["a", "b", "c"] {
        scene.add_event_in(&channel, lane).await;
    }
    assert_eq!(store.next_due().await.unwrap(), Some(scene.now()));
    let claims = scene.claim_deliveries(10).await;
    assert_eq!(store.next_due().await.unwrap(), Some(scene.now().after(LEASE)));
    scene.failed(&claims[0], Some(Duration::from_secs(8))).await;
    assert_eq!(store.next_due().await.unwrap(), Some(scene.now().after(Duration::from_secs(8))));
    for claim in &claims[1..] {
        scene.delivered(claim).await;
    }
    assert_eq!(store.next_due().await.unwrap(), Some(scene.now().after(Duration::from_secs(8))));
}

pub async fn the_backlog_is_what_has_not_ended(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let (channel, removed) = (scene.add_channel().await, scene.add_channel().await);
    let store = scene.deliveries();
    assert_eq!(store.backlog().await.unwrap(), Backlog::default());
    scene.add_event(&removed).await;
    let first = scene.now();
    let dead = scene.add_event(&channel).await;
    let second = scene.advance(Duration::from_secs(1));
    scene.add_event(&channel).await;
    scene.add_event(&channel).await;
    assert!(scene.remove_channel(&removed).await);
    assert_eq!(store.backlog().await.unwrap(), Backlog { oldest: Some(first), waiting: 3, dead: 0 });

    let claim = scene.claim_delivery().await;
    scene.failed(&claim, None).await;
    assert_eq!(store.backlog().await.unwrap(), Backlog { oldest: Some(second), waiting: 2, dead: 1 });
    scene.replay(&channel, &dead).await;
    assert_eq!(store.backlog().await.unwrap(), Backlog { oldest: Some(first), waiting: 3, dead: 0 });
    scene.deliver_all().await;
    assert_eq!(store.backlog().await.unwrap(), Backlog::default());
}

#[macro_export]
macro_rules! delivery_ends_contract {
    ($fixture:expr) => {
        $crate::contract_cases! { $fixture => delivery_ends:
            fetch_gives_everything_an_attempt_needs,
            fetch_knows_where_the_agent_lives_now,
            nothing_is_fetched_of_what_is_gone,
            a_delivered_event_says_so,
            a_delivery_that_is_given_up_leaves_its_lane_to_the_next,
            every_class_of_failure_survives,
            a_verdict_replaces_the_events,
            the_next_of_a_lane_is_due_at_once,
            what_comes_while_the_last_one_ends_is_not_forgotten,
            attempts_that_end_at_once_end_each_for_itself,
            next_due_looks_past_leases,
            the_backlog_is_what_has_not_ended,
        }
    };
}
