//! What an event looks like.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use nora_webhooks::ports::DeliveryFailureClass;
use nora_webhooks::{Event, StoredEvent};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::wire::{DeliveryErrorWord, EventStateWord, EventVerdictWord, Time};

/// Something that came in by a channel.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Event)]
pub(super) struct EventView {
    /// Its id, which the runtime tells repeated deliveries by.
    #[schema(example = "0198f0c4-5a1e-7cc3-98c4-dc0c0c07398f")]
    id: Uuid,
    /// When it came.
    received_at: Time,
    /// What the sender calls it; null where it says nothing.
    delivery_id: Option<String>,
    /// What kind of event it is; null where the sender says nothing.
    #[schema(example = "push")]
    event_type: Option<String>,
    /// How it was verified.
    verdict: EventVerdictWord,
    /// How far it has come.
    state: EventStateWord,
    /// How many deliveries were begun, replays included.
    attempts: u32,
    /// Why the last one failed; null if it did not.
    last_error: Option<DeliveryErrorWord>,
    /// The event whose replay its last delivery is: this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    replay_of: Option<Uuid>,
}

/// An event with everything that was received.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EventDetail)]
pub(super) struct EventDetailView {
    /// The event.
    #[serde(flatten)]
    event: EventView,
    /// The headers, in the order they came; secrets are masked.
    headers: Vec<HeaderView>,
    /// The body as it was received, in Base64.
    body: String,
}

/// A header.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EventHeader)]
struct HeaderView {
    /// Its name, in lower case.
    name: String,
    /// Its value; bytes that are no UTF-8 are replaced.
    value: String,
}

impl EventView {
    pub(super) fn of(event: &Event) -> Self {
        Self {
            id: event.id.as_uuid(),
            received_at: Time(event.received_at),
            delivery_id: event.delivery_id.clone(),
            event_type: event.event_type.clone(),
            verdict: EventVerdictWord(event.verdict.as_str()),
            state: EventStateWord(event.state.as_str()),
            attempts: event.attempts,
            last_error: event.last_error.map(DeliveryFailureClass::as_str).map(DeliveryErrorWord),
            replay_of: event.replayed.then(|| event.id.as_uuid()),
        }
    }
}

impl EventDetailView {
    pub(super) fn of(stored: &StoredEvent) -> Self {
        let header = |(name, value): (&str, &[u8])| HeaderView {
            name: name.to_owned(),
            value: String::from_utf8_lossy(value).into_owned(),
        };
        Self {
            event: EventView::of(&stored.event),
            headers: stored.headers.iter().map(header).collect(),
            body: STANDARD.encode(&stored.body),
        }
    }
}
