//! Steps to situations with webhook channels.

use std::time::Duration;

use nora_agents::ports::StoredAgent;
use nora_kernel::{EventId, Reach};
use nora_webhooks::ports::{
    Appended, ChannelUpdate, DeliveryClaim, DeliveryEnd, DeliveryFailure, DeliveryFailureClass, Held, NewEvent,
};
use nora_webhooks::{Event, StoredChannel, StoredEvent};

use super::{LEASE, Scene};

impl Scene<'_> {
    pub(crate) async fn open(&self, stored: &StoredChannel) {
        self.channels().insert(stored, &self.samples.line_in(&stored.workspace), None).await.unwrap();
    }

    /// A channel of an agent of its own.
    pub(crate) async fn add_channel(&self) -> StoredChannel {
        let agent = self.add_agent().await;
        self.add_channel_of(&agent).await
    }

    pub(crate) async fn add_channel_of(&self, agent: &StoredAgent) -> StoredChannel {
        let stored = self.samples.channel(agent);
        self.open(&stored).await;
        stored
    }

    pub(crate) async fn channel(&self, stored: &StoredChannel) -> Option<StoredChannel> {
        let channel = &stored.channel;
        let found = self.channels().find(&Reach::Everything, channel.agent, channel.id).await.unwrap();
        found.map(|(stored, _)| stored)
    }

    pub(crate) async fn change_channel(&self, update: &ChannelUpdate) {
        self.channels().update(update, &self.samples.line(), None).await.unwrap();
    }

    pub(crate) async fn pause(&self, stored: &StoredChannel, paused: bool) {
        let stored = self.channel(stored).await.unwrap();
        let update = ChannelUpdate { paused, updated_at: self.now(), ..self.samples.channel_update(&stored) };
        self.change_channel(&update).await;
    }

    pub(crate) async fn remove_channel(&self, stored: &StoredChannel) -> bool {
        let channel = &stored.channel;
        self.channels().remove(&Reach::Everything, channel.agent, channel.id, &self.samples.line()).await.unwrap()
    }

    pub(crate) async fn append(&self, events: &[NewEvent]) -> Vec<Appended> {
        self.inbox().append(events).await.unwrap()
    }

    pub(crate) async fn receive(&self, event: &NewEvent) -> Appended {
        let [appended] = self.append(std::slice::from_ref(event)).await.try_into().unwrap();
        appended
    }

    /// An event that came in by a channel's own lane.
    pub(crate) async fn add_event(&self, channel: &StoredChannel) -> NewEvent {
        self.add_event_in(channel, "").await
    }

    pub(crate) async fn add_event_in(&self, channel: &StoredChannel, lane: &str) -> NewEvent {
        let event = self.samples.event_in(channel, lane);
        assert_eq!(self.receive(&event).await, Appended::Kept);
        event
    }

    pub(crate) async fn stored_event(&self, channel: &StoredChannel, event: EventId) -> Option<StoredEvent> {
        let channel = &channel.channel;
        self.events().find(&Reach::Everything, channel.agent, channel.id, event).await.unwrap()
    }

    pub(crate) async fn event(&self, channel: &StoredChannel, event: &NewEvent) -> Event {
        self.stored_event(channel, event.id).await.unwrap().event
    }

    pub(crate) async fn replay(&self, channel: &StoredChannel, event: &NewEvent) -> bool {
        let (channel, line) = (&channel.channel, self.samples.line());
        self.events().replay(&Reach::Everything, channel.agent, channel.id, event.id, &line).await.unwrap()
    }

    pub(crate) async fn claim_deliveries(&self, limit: u16) -> Vec<DeliveryClaim> {
        self.deliveries().claim(limit, limit, &[], LEASE, self.now()).await.unwrap()
    }

    /// Claims the one delivery that is due.
    pub(crate) async fn claim_delivery(&self) -> DeliveryClaim {
        let claims = self.claim_deliveries(10).await;
        let [claim] = claims.as_slice() else { panic!("one delivery should be due: {claims:?}") };
        claim.clone()
    }

    pub(crate) async fn no_delivery_is_due(&self) -> bool {
        self.claim_deliveries(10).await.is_empty()
    }

    pub(crate) async fn end(&self, claim: &DeliveryClaim, end: DeliveryEnd) -> Held {
        self.deliveries().end(claim, end, None, self.now()).await.unwrap()
    }

    pub(crate) async fn delivered(&self, claim: &DeliveryClaim) -> Held {
        self.end(claim, DeliveryEnd::Delivered).await
    }

    /// Ends an attempt that failed; it is tried again after `wait`, or given up if there is none.
    pub(crate) async fn failed(&self, claim: &DeliveryClaim, wait: Option<Duration>) -> Held {
        let next_attempt_at = wait.map(|wait| self.now().after(wait));
        let failure = DeliveryFailure { class: DeliveryFailureClass::Timeout, next_attempt_at };
        self.end(claim, DeliveryEnd::Failed(failure)).await
    }

    /// Claims the one delivery that is due, and has the runtime confirm it.
    pub(crate) async fn deliver_one(&self) -> EventId {
        let claim = self.claim_delivery().await;
        assert_eq!(self.delivered(&claim).await, Held::Yes);
        claim.event
    }

    /// Delivers until nothing is due, one lane step after the other, and says what was delivered in which order.
    pub(crate) async fn deliver_all(&self) -> Vec<EventId> {
        let mut delivered = Vec::new();
        loop {
            let claims = self.claim_deliveries(100).await;
            if claims.is_empty() {
                return delivered;
            }
            for claim in claims {
                assert_eq!(self.delivered(&claim).await, Held::Yes);
                delivered.push(claim.event);
            }
        }
    }
}
