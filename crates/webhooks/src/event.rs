//! What an event is.

use bytes::Bytes;
use nora_kernel::{ChannelId, ChannelSecretId, Cursor, EventId, Timestamp};

use crate::Headers;
use crate::ports::DeliveryFailureClass;

/// The version of the rules by which events are verified and taken apart. It is kept with each event.
pub const HANDLER_VERSION: u16 = 1;

/// How an event was verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Its signature or token was right.
    Verified,
    /// Its channel asks for none.
    Unverified,
    /// It was right when it came and cannot be looked at again, because the secret itself was sent and is not kept.
    Recorded,
    /// It was right when it came, and is not under today's secrets.
    Refused,
}

impl Verdict {
    /// The name on the wire and in the databases.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::Unverified => "unverified",
            Self::Recorded => "recorded",
            Self::Refused => "refused",
        }
    }

    /// The verdict with this name.
    pub fn from_wire(text: &str) -> Option<Self> {
        let all = [Self::Verified, Self::Unverified, Self::Recorded, Self::Refused];
        all.into_iter().find(|verdict| verdict.as_str() == text)
    }
}

/// What events of a channel are kept in order by. Those of one key are one lane; the empty key is the channel's own.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct OrderingKey(String);

impl OrderingKey {
    /// The longest key, in bytes.
    pub const MAX: usize = 255;

    /// The key with this text; `None` if it is longer than [`MAX`](Self::MAX).
    pub fn new(text: String) -> Option<Self> {
        (text.len() <= Self::MAX && !text.contains('\0')).then_some(Self(text))
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// How far an event has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventState {
    /// A delivery of it is under way or waits.
    Pending,
    /// The runtime has it.
    Delivered,
    /// It was given up.
    Dead,
}

impl EventState {
    /// The name on the wire and in the databases.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Dead => "dead",
        }
    }

    /// The state with this name.
    pub fn from_wire(text: &str) -> Option<Self> {
        [Self::Pending, Self::Delivered, Self::Dead].into_iter().find(|state| state.as_str() == text)
    }
}

/// An event as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its id, which a runtime tells repeated deliveries by.
    pub id: EventId,
    /// The channel it came in by.
    pub channel: ChannelId,
    /// When it came.
    pub received_at: Timestamp,
    /// What the sender calls it, for people.
    pub delivery_id: Option<String>,
    /// What kind of event it is.
    pub event_type: Option<String>,
    /// How it was verified, when it came or when it was last replayed.
    pub verdict: Verdict,
    /// How far it has come.
    pub state: EventState,
    /// How many deliveries were begun, replays included.
    pub attempts: u32,
    /// Why the last one failed; `None` after one that did not.
    pub last_error: Option<DeliveryFailureClass>,
    /// Whether its last delivery, ended or not, is a replay.
    pub replayed: bool,
}

impl Event {
    /// The event's place in a list.
    pub fn cursor(&self) -> Cursor {
        Cursor { at: self.received_at, id: self.id.as_uuid() }
    }
}

/// An event with everything that was received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvent {
    /// The event.
    pub event: Event,
    /// Which secret verified it.
    pub verified_by: Option<ChannelSecretId>,
    /// The version of the rules it was verified by.
    pub handler: u16,
    /// The raw query of the request's URL, without the question mark.
    pub query: String,
    /// The headers that are kept, secrets masked.
    pub headers: Headers,
    /// The body as it was received.
    pub body: Bytes,
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn names_in_the_databases_read_back() {
        for verdict in [Verdict::Verified, Verdict::Unverified, Verdict::Recorded, Verdict::Refused] {
            assert_eq!(Verdict::from_wire(verdict.as_str()), Some(verdict));
        }
        for state in [EventState::Pending, EventState::Delivered, EventState::Dead] {
            assert_eq!(EventState::from_wire(state.as_str()), Some(state));
        }
    }

    #[test]
    fn an_ordering_key_has_an_end() {
        assert!(OrderingKey::new("k".repeat(OrderingKey::MAX)).is_some());
        assert_eq!(OrderingKey::new("k".repeat(OrderingKey::MAX + 1)), None);
        assert_eq!(OrderingKey::new("a\0b".to_owned()), None);
    }
}
