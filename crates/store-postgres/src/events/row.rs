//! Rows of events.

use bytes::Bytes;
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Binary, Bool, Integer, Nullable, Text, Uuid as UuidType};
use nora_kernel::{ChannelId, ChannelSecretId, EventId, Timestamp};
use nora_webhooks::ports::DeliveryFailureClass;
use nora_webhooks::{Event, EventState, Headers, StoredEvent, Verdict};
use uuid::Uuid;

use crate::error::StoreError;
use crate::rows::known;

/// The columns of an [`EventRow`], from `event`.
macro_rules! event_columns {
    () => {
        "event.id AS event_id, event.channel_id AS event_channel, event.received_at AS event_received_at, \
         event.delivery_id AS event_delivery_id, event.event_type AS event_type, event.verdict AS event_verdict, \
         event.state AS event_state, event.attempts AS event_attempts, event.last_error AS event_last_error, \
         event.replayed AS event_replayed"
    };
}
pub(crate) use event_columns;

/// The columns of a [`StoredEventRow`], from `event` and its `body`.
macro_rules! stored_event_columns {
    () => {
        concat!(
            crate::events::event_columns!(),
            ", event.verified_by AS event_verified_by, event.handler AS event_handler, body.query AS event_query, \
             body.headers AS event_headers, body.body AS event_body"
        )
    };
}
pub(crate) use stored_event_columns;

#[derive(QueryableByName)]
pub(super) struct EventRow {
    #[diesel(sql_type = UuidType, column_name = event_id)]
    id: Uuid,
    #[diesel(sql_type = UuidType, column_name = event_channel)]
    channel: Uuid,
    #[diesel(sql_type = BigInt, column_name = event_received_at)]
    received_at: i64,
    #[diesel(sql_type = Nullable<Text>, column_name = event_delivery_id)]
    delivery_id: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    event_type: Option<String>,
    #[diesel(sql_type = Text, column_name = event_verdict)]
    verdict: String,
    #[diesel(sql_type = Text, column_name = event_state)]
    state: String,
    #[diesel(sql_type = BigInt, column_name = event_attempts)]
    attempts: i64,
    #[diesel(sql_type = Nullable<Text>, column_name = event_last_error)]
    last_error: Option<String>,
    #[diesel(sql_type = Bool, column_name = event_replayed)]
    replayed: bool,
}

#[derive(QueryableByName)]
pub(crate) struct StoredEventRow {
    #[diesel(embed)]
    event: EventRow,
    #[diesel(sql_type = Nullable<UuidType>, column_name = event_verified_by)]
    verified_by: Option<Uuid>,
    #[diesel(sql_type = Integer, column_name = event_handler)]
    handler: i32,
    #[diesel(sql_type = Text, column_name = event_query)]
    query: String,
    #[diesel(sql_type = Binary, column_name = event_headers)]
    headers: Vec<u8>,
    #[diesel(sql_type = Binary, column_name = event_body)]
    body: Vec<u8>,
}

impl EventRow {
    pub(super) fn event(self) -> Result<Event, StoreError> {
        let class = |text: String| known("events.last_error", DeliveryFailureClass::from_wire(&text));
        Ok(Event {
            id: EventId::from_uuid(self.id),
            channel: ChannelId::from_uuid(self.channel),
            received_at: Timestamp::from_microseconds(self.received_at),
            delivery_id: self.delivery_id,
            event_type: self.event_type,
            verdict: known("events.verdict", Verdict::from_wire(&self.verdict))?,
            state: known("events.state", EventState::from_wire(&self.state))?,
            attempts: u32::try_from(self.attempts).unwrap_or(u32::MAX),
            last_error: self.last_error.map(class).transpose()?,
            replayed: self.replayed,
        })
    }
}

impl StoredEventRow {
    pub(crate) fn stored(self) -> Result<StoredEvent, StoreError> {
        Ok(StoredEvent {
            event: self.event.event()?,
            verified_by: self.verified_by.map(ChannelSecretId::from_uuid),
            handler: self.handler.try_into().map_err(|_| StoreError::Corrupt("events.handler"))?,
            query: self.query,
            headers: Headers::from_bytes(&self.headers).map_err(|_| StoreError::Corrupt("event_bodies.headers"))?,
            body: Bytes::from(self.body),
        })
    }
}
