//! Keeping what comes in.

use std::collections::HashMap;

use async_trait::async_trait;
use diesel::prelude::*;
use nora_kernel::Unavailable;
use nora_webhooks::ports::{Appended, Inbox, NewEvent};

use crate::SqliteStore;
use crate::channels;
use crate::events::insert;
use crate::lanes;
use crate::schema::events;
use crate::value::{Id, Time};
use crate::writer::Transaction;

/// The channels a batch came in by: their agents, and whether they are paused.
type Channels = HashMap<uuid::Uuid, Option<(Id, bool)>>;

#[async_trait]
impl Inbox for SqliteStore {
    async fn append(&self, events: &[NewEvent]) -> Result<Vec<Appended>, Unavailable> {
        if events.is_empty() {
            return Ok(Vec::new());
        }
        let events = events.to_vec();
        self.write(move |transaction| {
            let mut channels = Channels::new();
            let places = lanes::places(transaction.connection, u32::try_from(events.len()).unwrap_or(u32::MAX))?;
            let appended = events.iter().zip(places);
            let appended = appended.map(|(event, place)| append(transaction, &mut channels, event, place));
            Ok(appended.collect::<QueryResult<_>>()?)
        })
        .await
    }
}

fn append(
    transaction: &mut Transaction<'_>,
    channels: &mut Channels,
    event: &NewEvent,
    place: i64,
) -> QueryResult<Appended> {
    let id = Id::from(event.channel);
    let channel = match channels.get(&id.0) {
        Some(channel) => *channel,
        None => *channels.entry(id.0).insert_entry(channels::of_event(transaction.connection, id)?).get(),
    };
    let Some((agent, paused)) = channel else { return refused(transaction, event, Appended::ChannelGone) };
    if !insert(transaction.connection, event)? {
        return refused(transaction, event, Appended::Duplicate);
    }
    let lane = lanes::Lane { channel: id, ordering_key: event.ordering_key.as_str(), agent, paused };
    lanes::queue(transaction, &lane, (event.id.into(), place), false, Time(event.received_at))?;
    Ok(Appended::Kept)
}

/// What became of an event that was not written: it may be one that was kept before.
fn refused(transaction: &mut Transaction<'_>, event: &NewEvent, refusal: Appended) -> QueryResult<Appended> {
    let same = events::table.filter(events::id.eq(Id::from(event.id)));
    let kept: bool = diesel::select(diesel::dsl::exists(same)).get_result(transaction.connection)?;
    Ok(if kept { Appended::Kept } else { refusal })
}
