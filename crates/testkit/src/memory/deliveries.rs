//! The inbox and the queue of deliveries in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use async_trait::async_trait;
use nora_kernel::{AgentId, ChannelId, Clock as _, EventId, Reach, Timestamp, Unavailable};
use nora_webhooks::ports::{
    Appended, Backlog, Delivery, DeliveryClaim, DeliveryEnd, DeliveryFailure, DeliveryStore, Held, Inbox, NewEvent,
};
use nora_webhooks::{Event, EventState, OrderingKey, StoredEvent, Verdict};

use super::{InMemory, State};

#[derive(Clone)]
pub(super) struct EventRecord {
    pub(super) stored: StoredEvent,
    pub(super) ordering_key: OrderingKey,
    dedupe_key: Option<[u8; 32]>,
}

#[derive(Clone)]
pub(super) struct DeliveryRecord {
    pub(super) event: EventId,
    pub(super) channel: ChannelId,
    ordering_key: OrderingKey,
    pub(super) replay: bool,
    due_at: Timestamp,
    pub(super) attempt: u32,
    begun_at: Option<Timestamp>,
    fence: i64,
    lease_until: Option<Timestamp>,
}

impl State {
    fn append(&mut self, new: &NewEvent, now: Timestamp) -> Appended {
        if self.events.contains_key(&new.id) {
            return Appended::Kept;
        }
        if self.any_channel(new.channel).is_none() {
            return Appended::ChannelGone;
        }
        let same =
            |record: &EventRecord| record.stored.event.channel == new.channel && record.dedupe_key == new.dedupe_key;
        if new.dedupe_key.is_some() && self.events.values().any(same) {
            return Appended::Duplicate;
        }
        let NewEvent { id, channel, received_at, verdict, verified_by, handler, .. } = *new;
        let event = Event {
            id,
            channel,
            received_at,
            delivery_id: new.delivery_id.clone(),
            event_type: new.event_type.clone(),
            verdict,
            state: EventState::Pending,
            attempts: 0,
            last_error: None,
            replayed: false,
        };
        let NewEvent { query, headers, body, dedupe_key, ordering_key, .. } = new.clone();
        let stored = StoredEvent { event, verified_by, handler, query, headers, body };
        self.events.insert(id, EventRecord { stored, ordering_key, dedupe_key });
        self.queue(id, false, now);
        Appended::Kept
    }

    /// Puts a delivery of an event at the end of its lane.
    pub(super) fn queue(&mut self, event: EventId, replay: bool, now: Timestamp) {
        let record = &self.events[&event];
        let delivery = DeliveryRecord {
            event,
            channel: record.stored.event.channel,
            ordering_key: record.ordering_key.clone(),
            replay,
            due_at: now,
            attempt: 0,
            begun_at: None,
            fence: 0,
            lease_until: None,
        };
        self.sequence += 1;
        self.deliveries.insert(self.sequence, delivery);
        self.news.deliver = true;
    }

    /// What waits for a channel is due at `at`.
    pub(super) fn hurry(&mut self, channel: ChannelId, at: Timestamp) {
        let waiting = self.deliveries.values_mut().filter(|record| record.channel == channel);
        waiting.for_each(|record| record.due_at = record.due_at.min(at));
    }

    /// The first delivery of each lane that does not wait for its channel.
    fn heads(&self) -> Vec<(i64, AgentId, &DeliveryRecord)> {
        let mut lanes = BTreeSet::new();
        let heads = self.deliveries.iter().filter_map(|(sequence, record)| {
            if !lanes.insert((record.channel, &record.ordering_key)) {
                return None;
            }
            let (stored, _) = self.any_channel(record.channel).filter(|(stored, _)| !stored.channel.paused)?;
            Some((*sequence, stored.channel.agent, record))
        });
        heads.collect()
    }

    fn claim_deliveries(
        &mut self,
        limit: u16,
        per_agent: u16,
        busy: &[AgentId],
        lease: Duration,
        now: Timestamp,
    ) -> Vec<DeliveryClaim> {
        let free = |record: &DeliveryRecord| record.due_at <= now && record.lease_until.is_none_or(|end| end <= now);
        let mut due = self.heads();
        due.retain(|(_, agent, record)| free(record) && !busy.contains(agent));
        due.sort_by_key(|(sequence, _, record)| (record.due_at, *sequence));
        let mut taken: BTreeMap<AgentId, u16> = BTreeMap::new();
        let mut claimed: Vec<(i64, AgentId)> = Vec::new();
        for (sequence, agent, _) in due {
            let count = taken.entry(agent).or_default();
            if *count < per_agent && claimed.len() < usize::from(limit) {
                *count += 1;
                claimed.push((sequence, agent));
            }
        }
        claimed.into_iter().map(|(sequence, agent)| self.lease(sequence, agent, now.after(lease), now)).collect()
    }

    fn lease(&mut self, sequence: i64, agent: AgentId, until: Timestamp, now: Timestamp) -> DeliveryClaim {
        let record = self.deliveries.get_mut(&sequence).unwrap();
        record.lease_until = Some(until);
        record.fence += 1;
        record.attempt += 1;
        let begun_at = *record.begun_at.get_or_insert(now);
        let DeliveryRecord { event, channel, replay, fence, attempt, .. } = *record;
        self.events.get_mut(&event).unwrap().stored.event.attempts += 1;
        DeliveryClaim { sequence, event, channel, agent, replay, fence, attempt, begun_at }
    }

    fn held_delivery(&mut self, claim: &DeliveryClaim) -> Option<&mut DeliveryRecord> {
        let held = |record: &&mut DeliveryRecord| record.fence == claim.fence && record.lease_until.is_some();
        self.deliveries.get_mut(&claim.sequence).filter(held)
    }

    fn end(&mut self, claim: &DeliveryClaim, end: DeliveryEnd, verdict: Option<Verdict>) -> Held {
        let Some(record) = self.held_delivery(claim) else { return Held::No };
        record.lease_until = None;
        let error = match end {
            DeliveryEnd::Delivered => None,
            DeliveryEnd::Failed(failure) => Some(failure.class),
        };
        let ended = match end {
            DeliveryEnd::Failed(DeliveryFailure { next_attempt_at: Some(due), .. }) => {
                record.due_at = due;
                None
            }
            DeliveryEnd::Failed(_) => Some(EventState::Dead),
            DeliveryEnd::Delivered => Some(EventState::Delivered),
        };
        if ended.is_some() {
            self.deliveries.remove(&claim.sequence);
        }
        let waits = self.deliveries.values().any(|record| record.event == claim.event);
        let event = &mut self.events.get_mut(&claim.event).unwrap().stored.event;
        event.last_error = error;
        event.verdict = verdict.unwrap_or(event.verdict);
        if let Some(state) = ended.filter(|_| !waits) {
            event.state = state;
        }
        self.news.deliver = true;
        Held::Yes
    }

    fn delivery(&self, claim: &DeliveryClaim) -> Option<Delivery> {
        let record = self.deliveries.get(&claim.sequence)?;
        let (stored, key) = self.any_channel(claim.channel)?;
        let target = self.live_target(stored.channel.agent)?.target.clone();
        let event = self.events.get(&claim.event)?.stored.clone();
        let held = record.fence == claim.fence && record.lease_until.is_some();
        held.then_some(Delivery { event, kind: stored.channel.kind, target, key })
    }

    fn backlog(&self) -> Backlog {
        let received = |record: &DeliveryRecord| self.events[&record.event].stored.event.received_at;
        let dead = |record: &&EventRecord| record.stored.event.state == EventState::Dead;
        Backlog {
            oldest: self.deliveries.values().map(received).min(),
            waiting: u64::try_from(self.deliveries.len()).unwrap(),
            dead: u64::try_from(self.events.values().filter(dead).count()).unwrap(),
        }
    }

    /// Whether a channel of this id exists for `reach`.
    pub(super) fn has_channel(&self, reach: &Reach, agent: AgentId, channel: ChannelId) -> bool {
        self.channel(reach, agent, channel).is_some()
    }
}

#[async_trait]
impl Inbox for InMemory {
    async fn append(&self, events: &[NewEvent]) -> Result<Vec<Appended>, Unavailable> {
        Ok(self.write(|state, now| events.iter().map(|event| state.append(event, now)).collect()))
    }
}

#[async_trait]
impl DeliveryStore for InMemory {
    async fn claim(
        &self,
        limit: u16,
        per_agent: u16,
        busy: &[AgentId],
        lease: Duration,
        now: Timestamp,
    ) -> Result<Vec<DeliveryClaim>, Unavailable> {
        Ok(self.write(|state, _| state.claim_deliveries(limit, per_agent, busy, lease, now)))
    }

    async fn fetch(&self, claim: &DeliveryClaim) -> Result<Option<Delivery>, Unavailable> {
        Ok(self.read(|state| state.delivery(claim)))
    }

    async fn renew(&self, claim: &DeliveryClaim, until: Timestamp) -> Result<Held, Unavailable> {
        Ok(self.write(|state, _| match state.held_delivery(claim) {
            Some(record) => {
                record.lease_until = Some(until);
                Held::Yes
            }
            None => Held::No,
        }))
    }

    async fn release(&self, claims: &[DeliveryClaim]) -> Result<(), Unavailable> {
        self.write(|state, _| {
            for claim in claims {
                if let Some(record) = state.held_delivery(claim) {
                    record.lease_until = None;
                }
            }
            state.news.deliver = true;
        });
        Ok(())
    }

    async fn end(
        &self,
        claim: &DeliveryClaim,
        end: DeliveryEnd,
        verdict: Option<Verdict>,
        _at: Timestamp,
    ) -> Result<Held, Unavailable> {
        Ok(self.write(|state, _| state.end(claim, end, verdict)))
    }

    async fn changed(&self) {
        self.deliver.notified().await;
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, Unavailable> {
        let now = self.clock.now();
        let due = |record: &DeliveryRecord| {
            record.lease_until.filter(|end| *end > now).map_or(record.due_at, |end| end.max(record.due_at))
        };
        Ok(self.read(|state| state.heads().into_iter().map(|(.., record)| due(record)).min()))
    }

    async fn backlog(&self) -> Result<Backlog, Unavailable> {
        Ok(self.read(State::backlog))
    }
}
