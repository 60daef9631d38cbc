//! Events as rows.

use bytes::Bytes;
use diesel::prelude::*;
use diesel::sqlite::Sqlite;
use nora_webhooks::ports::{DeliveryFailureClass, NewEvent};
use nora_webhooks::{Event, EventState, Headers, StoredEvent, Verdict};

use crate::failure::{Ending, corrupt};
use crate::schema::{event_bodies, events};
use crate::value::{Id, Time};

#[derive(Queryable, Selectable)]
#[diesel(table_name = events, check_for_backend(Sqlite))]
pub(crate) struct EventRow {
    id: Id,
    channel_id: Id,
    received_at: Time,
    delivery_id: Option<String>,
    event_type: Option<String>,
    verdict: String,
    state: String,
    attempts: i64,
    last_error: Option<String>,
    replayed: bool,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = event_bodies, check_for_backend(Sqlite))]
pub(crate) struct BodyRow {
    query: String,
    headers: Vec<u8>,
    body: Vec<u8>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = events, check_for_backend(Sqlite))]
pub(crate) struct StoredEventRow {
    #[diesel(embed)]
    event: EventRow,
    verified_by: Option<Id>,
    handler: i32,
    #[diesel(embed)]
    body: BodyRow,
}

impl EventRow {
    pub(super) fn event(self) -> Ending<Event> {
        let class = |text: String| {
            DeliveryFailureClass::from_wire(&text).ok_or_else(|| corrupt("a failure is of no known class"))
        };
        let verdict = Verdict::from_wire(&self.verdict);
        let state = EventState::from_wire(&self.state);
        Ok(Event {
            id: self.id.into(),
            channel: self.channel_id.into(),
            received_at: self.received_at.0,
            delivery_id: self.delivery_id,
            event_type: self.event_type,
            verdict: verdict.ok_or_else(|| corrupt("an event's verdict is none of ours"))?,
            state: state.ok_or_else(|| corrupt("an event's state is none of ours"))?,
            attempts: u32::try_from(self.attempts).unwrap_or(u32::MAX),
            last_error: self.last_error.map(class).transpose()?,
            replayed: self.replayed,
        })
    }
}

impl StoredEventRow {
    pub(crate) fn stored(self) -> Ending<StoredEvent> {
        Ok(StoredEvent {
            event: self.event.event()?,
            verified_by: self.verified_by.map(Into::into),
            handler: u16::try_from(self.handler).map_err(|_| corrupt("a handler's version is out of range"))?,
            query: self.body.query,
            headers: Headers::from_bytes(&self.body.headers)
                .map_err(|_| corrupt("an event's headers are malformed"))?,
            body: Bytes::from(self.body.body),
        })
    }
}

/// A key is one of its channel; the column holds both.
fn dedupe_key(new: &NewEvent) -> Option<Vec<u8>> {
    new.dedupe_key.map(|key| [new.channel.as_uuid().as_bytes().as_slice(), &key].concat())
}

/// Writes an event unless its id or its dedupe key is there; says whether it did.
pub(crate) fn insert(connection: &mut SqliteConnection, new: &NewEvent) -> QueryResult<bool> {
    let row = (
        events::id.eq(Id::from(new.id)),
        events::channel_id.eq(Id::from(new.channel)),
        events::received_at.eq(Time(new.received_at)),
        events::verdict.eq(new.verdict.as_str()),
        events::verified_by.eq(new.verified_by.map(Id::from)),
        events::handler.eq(i32::from(new.handler)),
        events::delivery_id.eq(new.delivery_id.as_deref()),
        events::dedupe_key.eq(dedupe_key(new)),
        events::event_type.eq(new.event_type.as_deref()),
        events::ordering_key.eq(new.ordering_key.as_str()),
        events::state.eq(EventState::Pending.as_str()),
        events::queued.eq(1_i64),
        events::replayed.eq(false),
        events::attempts.eq(0_i64),
    );
    let added = diesel::insert_into(events::table).values(row).on_conflict_do_nothing().execute(connection)?;
    if added == 0 {
        return Ok(false);
    }
    let body = (
        event_bodies::event_id.eq(Id::from(new.id)),
        event_bodies::query.eq(new.query.as_str()),
        event_bodies::headers.eq(new.headers.to_bytes()),
        event_bodies::body.eq(&*new.body),
    );
    diesel::insert_into(event_bodies::table).values(body).execute(connection)?;
    Ok(true)
}
