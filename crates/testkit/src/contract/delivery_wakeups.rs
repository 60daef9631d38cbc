//! What every `DeliveryStore` promises about waking those who wait for work.

use std::time::Duration;

use crate::scene::{PATIENCE, Scene};
use crate::{Fixture, Stores};

/// Lets hints of earlier steps pass. One that comes later still makes a case weaker, never red.
async fn settle(stores: &dyn Stores) {
    while tokio::time::timeout(Duration::from_millis(50), stores.deliveries().changed()).await.is_ok() {}
}

/// Checks that `work` wakes those who wait, on this server and on another.
async fn wakes<F: Future>(fixture: &dyn Fixture, work: F) -> F::Output {
    let (here, elsewhere) = (fixture.here(), fixture.elsewhere());
    settle(here).await;
    settle(elsewhere).await;
    let deliveries = elsewhere.deliveries();
    let (woken, done) = tokio::join!(tokio::time::timeout(PATIENCE, deliveries.changed()), work);
    assert!(woken.is_ok(), "nobody was woken");
    done
}

pub async fn a_new_event_wakes(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let channel = scene.add_channel().await;
    wakes(fixture, scene.add_event(&channel)).await;
}

pub async fn a_channel_that_goes_on_wakes(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let channel = scene.add_channel().await;
    scene.add_event(&channel).await;
    scene.pause(&channel, true).await;
    wakes(fixture, scene.pause(&channel, false)).await;
}

pub async fn a_replay_wakes(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let channel = scene.add_channel().await;
    let event = scene.add_event(&channel).await;
    scene.deliver_one().await;
    wakes(fixture, scene.replay(&channel, &event)).await;
}

pub async fn a_released_delivery_wakes(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let channel = scene.add_channel().await;
    scene.add_event(&channel).await;
    let claims = scene.claim_deliveries(10).await;
    wakes(fixture, async { scene.deliveries().release(&claims).await.unwrap() }).await;
}

pub async fn a_delivery_that_leaves_more_to_do_wakes(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let channel = scene.add_channel().await;
    scene.add_event(&channel).await;
    scene.add_event(&channel).await;
    let claim = scene.claim_delivery().await;
    wakes(fixture, scene.delivered(&claim)).await;
}

#[macro_export]
macro_rules! delivery_wakeups_contract {
    ($fixture:expr) => {
        $crate::contract_cases! { $fixture => delivery_wakeups:
            a_new_event_wakes,
            a_channel_that_goes_on_wakes,
            a_replay_wakes,
            a_released_delivery_wakes,
            a_delivery_that_leaves_more_to_do_wakes,
        }
    };
}
