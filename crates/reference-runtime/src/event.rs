//! Webhook events.

use std::collections::{HashSet, VecDeque};

use serde_json::Value;

/// A webhook event as it was delivered.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// What repeated deliveries of one event have in common.
    pub id: String,
    /// The whole delivery.
    pub delivery: Value,
}

impl Event {
    pub(crate) fn parse(json: &[u8]) -> Option<Self> {
        let delivery: Value = serde_json::from_slice(json).ok()?;
        let id = delivery.get("eventId")?.as_str().filter(|id| !id.is_empty())?.to_owned();
        Some(Self { id, delivery })
    }
}

/// The events taken last, oldest first.
pub(crate) struct Inbox {
    events: VecDeque<Event>,
    ids: HashSet<String>,
    kept: usize,
}

impl Inbox {
    pub(crate) fn new(kept: usize) -> Self {
        Self { events: VecDeque::new(), ids: HashSet::new(), kept: kept.max(1) }
    }

    /// Takes an event in, unless it is one of those kept.
    pub(crate) fn take(&mut self, event: Event) {
        if !self.ids.insert(event.id.clone()) {
            return;
        }
        self.events.push_back(event);
        if self.events.len() > self.kept
            && let Some(oldest) = self.events.pop_front()
        {
            self.ids.remove(&oldest.id);
        }
    }

    pub(crate) fn events(&self) -> Vec<Event> {
        self.events.iter().cloned().collect()
    }

    pub(crate) fn contains(&self, id: &str) -> bool {
        self.ids.contains(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_events_are_kept_once_and_old_ones_are_forgotten() {
        let event = |id: &str| Event { id: id.to_owned(), delivery: Value::Null };
        let mut inbox = Inbox::new(2);
        for id in ["a", "b", "a", "c", "c"] {
            inbox.take(event(id));
        }
        assert_eq!(inbox.events(), [event("b"), event("c")]);
        assert!(!inbox.contains("a"));
        inbox.take(event("a"));
        assert_eq!(inbox.events(), [event("c"), event("a")]);
    }
}
