//! Webhook events in memory.

use async_trait::async_trait;
use nora_kernel::audit::AuditLine;
use nora_kernel::{AgentId, ChannelId, EventId, Page, PageRequest, Reach, Timestamp, Unavailable};
use nora_webhooks::ports::{EventFilter, EventStore, ReplayRange};
use nora_webhooks::{Event, EventState, StoredEvent};

use super::access::page;
use super::{InMemory, State};

impl State {
    fn event(&self, reach: &Reach, agent: AgentId, channel: ChannelId, id: EventId) -> Option<&StoredEvent> {
        let stored = &self.events.get(&id)?.stored;
        (self.has_channel(reach, agent, channel) && stored.event.channel == channel).then_some(stored)
    }

    fn replay(&mut self, id: EventId, now: Timestamp) {
        let waits = |state: &Self| {
            let of_event = state.deliveries.values().filter(|record| record.event == id);
            of_event.into_iter().any(|record| record.replay && record.attempt == 0)
        };
        if !waits(self) {
            self.queue(id, true, now);
        }
        let event = &mut self.events.get_mut(&id).unwrap().stored.event;
        event.state = EventState::Pending;
        event.replayed = true;
    }

    fn in_range(&self, channel: ChannelId, range: ReplayRange, limit: u32) -> Vec<EventId> {
        let wanted = |event: &&Event| {
            event.channel == channel
                && range.state.is_none_or(|state| event.state == state)
                && range.from.is_none_or(|from| event.received_at >= from)
                && range.to.is_none_or(|to| event.received_at < to)
        };
        let mut events: Vec<&Event> = self.events.values().map(|record| &record.stored.event).filter(wanted).collect();
        events.sort_by_key(|event| (event.received_at, event.id));
        events.into_iter().map(|event| event.id).take(usize::try_from(limit).unwrap()).collect()
    }
}

#[async_trait]
impl EventStore for InMemory {
    async fn list(
        &self,
        reach: &Reach,
        agent: AgentId,
        channel: ChannelId,
        filter: EventFilter,
        request: PageRequest,
    ) -> Result<Option<Page<Event>>, Unavailable> {
        let list = |state: &State| {
            let events = state.events.values().map(|record| record.stored.event.clone());
            let wanted =
                |event: &Event| event.channel == channel && filter.state.is_none_or(|wanted| event.state == wanted);
            let page = page(events.filter(wanted).collect(), request, Event::cursor);
            state.has_channel(reach, agent, channel).then_some(page)
        };
        Ok(self.read(list))
    }

    async fn find(
        &self,
        reach: &Reach,
        agent: AgentId,
        channel: ChannelId,
        event: EventId,
    ) -> Result<Option<StoredEvent>, Unavailable> {
        Ok(self.read(|state| state.event(reach, agent, channel, event).cloned()))
    }

    async fn replay(
        &self,
        reach: &Reach,
        agent: AgentId,
        channel: ChannelId,
        event: EventId,
        line: &AuditLine,
    ) -> Result<bool, Unavailable> {
        Ok(self.write(|state, now| {
            let there = state.event(reach, agent, channel, event).is_some();
            if there {
                state.replay(event, now);
                state.lines.push(line.clone());
            }
            there
        }))
    }

    async fn replay_range(
        &self,
        reach: &Reach,
        agent: AgentId,
        channel: ChannelId,
        range: ReplayRange,
        limit: u32,
        line: &AuditLine,
    ) -> Result<Option<u64>, Unavailable> {
        Ok(self.write(|state, now| {
            if !state.has_channel(reach, agent, channel) {
                return None;
            }
            let events = state.in_range(channel, range, limit);
            for event in &events {
                state.replay(*event, now);
            }
            state.lines.push(line.clone());
            u64::try_from(events.len()).ok()
        }))
    }

    async fn prune(&self, before: Timestamp, limit: u32) -> Result<u64, Unavailable> {
        Ok(self.write(|state, _| {
            let ended = |event: &&Event| event.received_at < before && event.state != EventState::Pending;
            let mut events: Vec<&Event> =
                state.events.values().map(|record| &record.stored.event).filter(ended).collect();
            events.sort_by_key(|event| (event.received_at, event.id));
            let old: Vec<EventId> =
                events.into_iter().map(|event| event.id).take(usize::try_from(limit).unwrap()).collect();
            state.events.retain(|id, _| !old.contains(id));
            u64::try_from(old.len()).unwrap()
        }))
    }
}
