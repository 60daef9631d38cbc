//! What every `DeliveryStore` promises about leases and attempts.

use std::time::Duration;

use nora_webhooks::ports::{DeliveryClaim, Held};

use crate::Fixture;
use crate::scene::{LEASE, Scene};

async fn renew(scene: &Scene<'_>, claim: &DeliveryClaim) -> Held {
    scene.deliveries().renew(claim, scene.now().after(LEASE)).await.unwrap()
}

async fn release(scene: &Scene<'_>, claims: &[DeliveryClaim]) {
    scene.deliveries().release(claims).await.unwrap();
}

pub async fn a_running_lease_is_nobody_elses(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let channel = scene.add_channel().await;
    scene.add_event(&channel).await;
    scene.claim_delivery().await;
    scene.add_event(&channel).await;
    scene.almost(LEASE);
    assert!(scene.no_delivery_is_due().await);
    assert_eq!(scene.elsewhere().deliveries().claim(10, 10, &[], LEASE, scene.now()).await.unwrap(), []);
}

pub async fn an_expired_lease_is_taken_over(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let channel = scene.add_channel().await;
    let event = scene.add_event(&channel).await;
    let lost = scene.claim_delivery().await;
    scene.advance(LEASE);
    let store = scene.elsewhere().deliveries();
    let [taken] = store.claim(10, 10, &[], LEASE, scene.now()).await.unwrap().try_into().unwrap();
    assert_eq!((taken.event, taken.sequence, taken.begun_at), (event.id, lost.sequence, lost.begun_at));
    assert!(taken.fence > lost.fence && taken.attempt == 2, "{lost:?} {taken:?}");

    assert_eq!(scene.deliveries().fetch(&lost).await.unwrap().map(|_| ()), None);
    assert_eq!(renew(&scene, &lost).await, Held::No);
    assert_eq!(scene.failed(&lost, None).await, Held::No);
    assert_eq!(scene.delivered(&lost).await, Held::No);
    release(&scene, &[lost]).await;
    assert!(scene.no_delivery_is_due().await, "the lease that is held is still held");
    assert_eq!(scene.event(&channel, &event).await.last_error, None);
    assert_eq!(scene.delivered(&taken).await, Held::Yes);
}

pub async fn a_worker_that_comes_back_cannot_touch_the_next_delivery(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let channel = scene.add_channel().await;
    let (first, second) = (scene.add_event(&channel).await, scene.add_event(&channel).await);
    let lost = scene.claim_delivery().await;
    scene.advance(LEASE);
    assert_eq!(scene.deliver_one().await, first.id);
    let next = scene.claim_delivery().await;
    assert_eq!(scene.failed(&lost, None).await, Held::No);
    assert_eq!(renew(&scene, &lost).await, Held::No);
    assert_eq!((next.event, scene.delivered(&next).await), (second.id, Held::Yes));
}

pub async fn an_attempt_counts_when_it_begins(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let channel = scene.add_channel().await;
    let (event, second) = (scene.add_event(&channel).await, scene.add_event(&channel).await);
    let first = scene.claim_delivery().await;
    assert_eq!(scene.event(&channel, &event).await.attempts, 1);
    // Nobody comes back from the first: its process is gone.
    scene.advance(LEASE);
    let again = scene.claim_delivery().await;
    scene.failed(&again, Some(Duration::ZERO)).await;
    let last = scene.claim_delivery().await;
    assert_eq!([first.attempt, again.attempt, last.attempt], [1, 2, 3]);
    assert_eq!(last.begun_at, first.begun_at);
    assert_eq!(scene.event(&channel, &event).await.attempts, 3);
    scene.delivered(&last).await;

    let next = scene.claim_delivery().await;
    assert_eq!((next.event, next.attempt, next.begun_at), (second.id, 1, scene.now()));
}

pub async fn a_renewed_lease_lasts_longer(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let channel = scene.add_channel().await;
    scene.add_event(&channel).await;
    let claim = scene.claim_delivery().await;
    scene.advance(LEASE / 2);
    assert_eq!(renew(&scene, &claim).await, Held::Yes);
    scene.almost(LEASE);
    assert!(scene.no_delivery_is_due().await);
    scene.advance(Duration::from_micros(1));
    assert_eq!(scene.claim_delivery().await.event, claim.event);
}

pub async fn a_released_delivery_is_due_at_once(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let channel = scene.add_channel().await;
    for lane in 0..3 {
        scene.add_event_in(&channel, &lane.to_string()).await;
    }
    let claims = scene.claim_deliveries(10).await;
    release(&scene, &claims[..2]).await;
    let again = scene.elsewhere().deliveries().claim(10, 10, &[], LEASE, scene.now()).await.unwrap();
    assert_eq!(again.iter().map(|claim| claim.event).collect::<Vec<_>>(), [claims[0].event, claims[1].event]);
    release(&scene, &[]).await;
}

pub async fn a_released_lease_changes_nothing(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let channel = scene.add_channel().await;
    let event = scene.add_event(&channel).await;
    let claim = scene.claim_delivery().await;
    release(&scene, std::slice::from_ref(&claim)).await;
    assert_eq!((renew(&scene, &claim).await, scene.delivered(&claim).await), (Held::No, Held::No));
    assert_eq!(scene.deliver_one().await, event.id);
}

pub async fn what_has_ended_is_not_renewed(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let channel = scene.add_channel().await;
    scene.add_event(&channel).await;
    let claim = scene.claim_delivery().await;
    assert_eq!(scene.delivered(&claim).await, Held::Yes);
    assert_eq!((renew(&scene, &claim).await, scene.delivered(&claim).await), (Held::No, Held::No));
}

#[macro_export]
macro_rules! delivery_leases_contract {
    ($fixture:expr) => {
        $crate::contract_cases! { $fixture => delivery_leases:
            a_running_lease_is_nobody_elses,
            an_expired_lease_is_taken_over,
            a_worker_that_comes_back_cannot_touch_the_next_delivery,
            an_attempt_counts_when_it_begins,
            a_renewed_lease_lasts_longer,
            a_released_delivery_is_due_at_once,
            a_released_lease_changes_nothing,
            what_has_ended_is_not_renewed,
        }
    };
}
