//! Channels that are asked for all the time.

use std::time::Duration;

use nora_kernel::ChannelId;
use nora_webhooks::ports::{ChannelStore, ChannelUpdate, SecretsUpdate};
use nora_webhooks::{Receipt, Verification};

use crate::support::World;

#[tokio::test]
async fn a_change_made_elsewhere_counts_within_a_second() {
    let world = World::start().await;
    let channel = world.channel(false).await;
    assert!(matches!(world.post(channel.id, "1", "").await, Receipt::Accepted { .. }));
    disable_elsewhere(&world, channel.id).await;
    world.clock.advance(Duration::from_secs(1));
    assert!(matches!(world.post(channel.id, "2", "").await, Receipt::Refused { status: 400, .. }));
}

/// As another server does it: nothing here is told.
async fn disable_elsewhere(world: &World, id: ChannelId) {
    let store: &dyn ChannelStore = world.memory.as_ref();
    let reach = nora_kernel::Reach::Everything;
    let (stored, _) = store.find(&reach, world.agent, id).await.unwrap().unwrap();
    let update = ChannelUpdate {
        agent: world.agent,
        id,
        from_revision: stored.revision,
        name: stored.channel.name,
        config: stored.channel.config,
        verification: Verification::None,
        enrol_until: None,
        enabled: false,
        paused: false,
        secrets: SecretsUpdate::Keep,
        updated_at: stored.channel.updated_at,
    };
    store.update(&update, &nora_testkit::Samples::new().line(), None).await.unwrap();
}

#[tokio::test]
async fn an_id_that_was_nobodys_may_become_somebodys_at_once() {
    let world = World::start().await;
    let id: ChannelId = "d5e6f7a8-b9c0-1234-defa-123456789012".parse().unwrap();
    assert!(matches!(world.post(id, "1", "").await, Receipt::Refused { status: 400, reason: "no_channel" }));
    let request = nora_webhooks::CreateChannel {
        agent: world.agent,
        id: Some(id),
        kind: Some("webhook".to_owned()),
        name: None,
        config: serde_json::Map::new(),
        verification: Some(Verification::None),
        idempotency: None,
    };
    world.channels.create(world.caller(), request).await.unwrap();
    assert!(matches!(world.post(id, "1", "").await, Receipt::Accepted { .. }));
}
