//! From the inbox to the runtime.

use std::time::Duration;

use nora_webhooks::ports::{DeliveryFailureClass, DeliveryStore as _};
use nora_webhooks::{ChangeChannel, DeliveryStep, EventState};

use crate::support::{LEASE, World};

const REFUSED: DeliveryStep = DeliveryStep::Failed(DeliveryFailureClass::Refused);

#[tokio::test]
async fn events_of_a_lane_arrive_in_the_order_of_their_receipt() {
    let world = World::start().await;
    let channel = world.channel(false).await.id;
    for body in ["1", "2", "3"] {
        world.post(channel, body, "").await;
    }
    for round in 1..=3 {
        assert_eq!(world.round().await, [DeliveryStep::Delivered]);
        assert_eq!(world.runtime.contents().len(), round);
    }
    assert_eq!(world.runtime.contents(), ["1", "2", "3"]);
    assert!(world.round().await.is_empty());
    let events = world.events(channel).await;
    assert!(events.iter().all(|event| event.state == EventState::Delivered && event.attempts == 1));
}

#[tokio::test]
async fn a_lane_waits_for_its_first_event_and_no_other_lane_does() {
    let world = World::start().await;
    let (one, two) = (world.channel(false).await.id, world.channel(false).await.id);
    world.post(one, "1", "").await;
    world.post(one, "2", "").await;
    world.runtime.fail(DeliveryFailureClass::Refused, None);
    assert_eq!(world.round().await, [REFUSED]);
    world.runtime.recover();
    world.post(two, "7", "").await;
    assert_eq!(world.round().await, [DeliveryStep::Delivered], "the first lane is not due");
    assert_eq!(world.runtime.contents(), ["7"]);
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(world.round().await, [DeliveryStep::Delivered]);
    assert_eq!(world.round().await, [DeliveryStep::Delivered]);
    assert_eq!(world.runtime.contents(), ["7", "1", "2"]);
}

#[tokio::test]
async fn an_event_dies_after_forty_attempts_and_its_lane_goes_on() {
    let world = World::start().await;
    let channel = world.channel(false).await.id;
    world.post(channel, "1", "").await;
    world.post(channel, "2", "").await;
    world.runtime.fail(DeliveryFailureClass::RuntimeError, None);
    let mut steps = Vec::new();
    while !steps.contains(&DeliveryStep::Dead(DeliveryFailureClass::RuntimeError)) {
        steps.extend(world.round().await);
        world.clock.advance(Duration::from_secs(1));
    }
    assert_eq!(steps.len(), 40);
    world.runtime.recover();
    assert_eq!(world.round().await, [DeliveryStep::Delivered]);
    assert_eq!(world.runtime.contents(), ["2"]);
    let events = world.events(channel).await;
    assert_eq!((events[0].state, events[0].attempts), (EventState::Dead, 40));
    assert_eq!(events[0].last_error, Some(DeliveryFailureClass::RuntimeError));
    assert_eq!(world.memory.backlog().await.unwrap().dead, 1);
}

#[tokio::test]
async fn a_wait_the_runtime_asks_for_is_kept() {
    let world = World::start().await;
    let channel = world.channel(false).await.id;
    world.post(channel, "1", "").await;
    world.runtime.fail(DeliveryFailureClass::RateLimited, Some(Duration::from_mins(2)));
    assert_eq!(world.round().await, [DeliveryStep::Failed(DeliveryFailureClass::RateLimited)]);
    world.runtime.recover();
    world.clock.advance(Duration::from_secs(119));
    assert!(world.round().await.is_empty());
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(world.round().await, [DeliveryStep::Delivered]);
}

#[tokio::test]
async fn a_paused_channel_keeps_what_comes_and_delivers_it_later() {
    let world = World::start().await;
    let channel = world.channel(false).await.id;
    let pause = |paused| ChangeChannel { paused: Some(paused), ..ChangeChannel::default() };
    world.channels.change(world.caller(), world.agent, channel, pause(true)).await.unwrap();
    world.post(channel, "1", "").await;
    assert!(world.round().await.is_empty());
    assert_eq!(world.events(channel).await.len(), 1);
    world.channels.change(world.caller(), world.agent, channel, pause(false)).await.unwrap();
    assert_eq!(world.round().await, [DeliveryStep::Delivered]);
}

#[tokio::test]
async fn a_worker_that_lost_its_lease_marks_nothing() {
    let world = World::start().await;
    let channel = world.channel(false).await.id;
    world.post(channel, "1", "").await;
    let late = world.claims().await.remove(0);
    assert!(world.claims().await.is_empty(), "a running lease is nobody else's");
    world.clock.advance(LEASE);
    let newer = world.claims().await.remove(0);
    assert_eq!((newer.attempt, newer.fence > late.fence), (2, true));
    assert_eq!(world.deliverer.run(&late).await.unwrap(), DeliveryStep::LeaseLost);
    assert!(world.runtime.got().is_empty(), "nor does it send anything");
    assert_eq!(world.deliverer.run(&newer).await.unwrap(), DeliveryStep::Delivered);
    assert_eq!(world.deliverer.run(&newer).await.unwrap(), DeliveryStep::LeaseLost, "an end is recorded once");
}
