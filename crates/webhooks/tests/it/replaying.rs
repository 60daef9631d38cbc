//! Events that are asked for once more.

use std::time::Duration;

use nora_kernel::Secret;
use nora_webhooks::ports::DeliveryFailureClass;
use nora_webhooks::{AddSecret, ChangeChannel, DeliveryStep, EventState, Receipt, Verdict};
use serde_json::json;

use crate::support::{BODY, OTHER_SECRET, SECRET, SIGNATURE, World};

#[tokio::test]
async fn a_replay_is_the_same_event_labelled() {
    let world = World::start().await;
    let channel = world.channel(true).await.id;
    let receipt = world.post(channel, BODY, SIGNATURE).await;
    assert!(matches!(receipt, Receipt::Accepted { status: 200, duplicate: false, .. }), "{receipt:?}");
    assert_eq!(world.round().await, [DeliveryStep::Delivered]);
    let event = world.events(channel).await.remove(0);
    world.clock.advance(Duration::from_hours(24 * 20));
    world.replay(channel, event.id).await;
    assert_eq!(world.events(channel).await[0].state, EventState::Pending);
    assert_eq!(world.round().await, [DeliveryStep::Delivered]);

    let got = world.runtime.got();
    assert_eq!((got[0].event, got[0].replay), (event.id, false));
    assert_eq!((got[1].event, got[1].replay, got[1].verdict), (event.id, true, Verdict::Verified));
    assert_eq!(got[0].body, got[1].body);
    let after = world.events(channel).await.remove(0);
    assert_eq!((after.state, after.attempts, after.replayed), (EventState::Delivered, 2, true));
}

#[tokio::test]
async fn a_replay_is_verified_under_the_secrets_of_today() {
    let world = World::start().await;
    let channel = world.channel(true).await.id;
    world.post(channel, BODY, SIGNATURE).await;
    assert_eq!(world.round().await, [DeliveryStep::Delivered]);
    let event = world.events(channel).await.remove(0).id;

    let overlap = Duration::from_mins(1);
    let rotation = AddSecret { secret: Secret::new(OTHER_SECRET.to_owned()), overlap, idempotency: None };
    world.channels.add_secret(world.caller(), world.agent, channel, rotation).await.unwrap();
    world.replay(channel, event).await;
    assert_eq!(world.round().await, [DeliveryStep::Delivered], "the old secret still counts");

    world.clock.advance(overlap);
    world.replay(channel, event).await;
    assert_eq!(world.round().await, [DeliveryStep::Dead(DeliveryFailureClass::Unverified)]);
    assert_eq!(world.runtime.got().len(), 2, "it was not sent");
    let after = world.events(channel).await.remove(0);
    assert_eq!((after.state, after.verdict), (EventState::Dead, Verdict::Refused));
}

#[tokio::test]
async fn a_secret_that_was_sent_itself_is_not_kept_and_its_verdict_is_recorded() {
    let world = World::start().await;
    let channel = world.channel(true).await.id;
    let config = json!({ "scheme": "token", "header": "X-Webhook-Signature" });
    let change = ChangeChannel { config: config.as_object().cloned(), ..ChangeChannel::default() };
    world.channels.change(world.caller(), world.agent, channel, change).await.unwrap();
    let receipt = world.post(channel, BODY, SECRET).await;
    assert!(matches!(receipt, Receipt::Accepted { .. }), "{receipt:?}");
    assert_eq!(world.round().await, [DeliveryStep::Delivered]);
    let event = world.events(channel).await.remove(0);
    assert_eq!(event.verdict, Verdict::Verified);
    world.replay(channel, event.id).await;
    assert_eq!(world.round().await, [DeliveryStep::Delivered]);
    let got = world.runtime.got();
    assert_eq!((got[0].verdict, got[1].verdict), (Verdict::Verified, Verdict::Recorded));
    let shows = |(_, value): (&str, &[u8])| String::from_utf8_lossy(value).contains(SECRET);
    assert!(!got.iter().any(|message| message.headers.iter().any(shows)));
}

#[tokio::test]
async fn a_replay_asked_for_while_a_delivery_is_under_way_follows_it() {
    let world = World::start().await;
    let channel = world.channel(false).await.id;
    world.post(channel, "1", "").await;
    let under_way = world.claims().await.remove(0);
    let event = world.events(channel).await.remove(0).id;
    world.replay(channel, event).await;
    world.replay(channel, event).await;
    assert!(world.claims().await.is_empty(), "it stands behind in the lane");
    assert_eq!(world.deliverer.run(&under_way).await.unwrap(), DeliveryStep::Delivered);
    assert_eq!(world.events(channel).await[0].state, EventState::Pending);
    assert_eq!(world.round().await, [DeliveryStep::Delivered]);
    assert!(world.round().await.is_empty(), "two that had not begun were one");
    assert_eq!(world.runtime.got().iter().map(|message| message.replay).collect::<Vec<_>>(), [false, true]);
}
