//! Keeping what comes in, many events in one statement.

use std::collections::HashSet;

use async_trait::async_trait;
use diesel::QueryableByName;
use diesel::sql_types::{Bool, Uuid as UuidType};
use nora_kernel::{ChannelSecretId, Unavailable};
use nora_webhooks::ports::{Appended, Inbox, NewEvent};
use uuid::Uuid;

use crate::error::StoreError;
use crate::signals::Topic;
use crate::statement::{Statement, each};
use crate::store::PostgresStore;

/// Locks the channels, which keeps them from being paused or removed meanwhile, then the lanes, in one order
/// everywhere, and only then draws places: within a lane, places follow each other as the commits do.
///
/// The unique indexes alone tell what is new. Looking first would cost every event what only a repeated one is worth;
/// a lane that gets nothing by it is found empty by the next claim. The count makes the events wait for all lanes.
const APPEND: &str = "\
    WITH incoming AS MATERIALIZED (SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) \
    WITH ORDINALITY AS event (id, channel_id, received_at, verdict, verified_by, handler, delivery_id, dedupe_key, \
    event_type, ordering_key, query, headers, body, place)), \
    open AS MATERIALIZED (SELECT id, agent_id, paused FROM channels WHERE id = ANY ($2) AND removed_at IS NULL \
    ORDER BY id FOR SHARE), \
    fresh AS MATERIALIZED (SELECT incoming.*, open.agent_id, open.paused \
    FROM incoming JOIN open ON open.id = incoming.channel_id), \
    lane AS (INSERT INTO lanes (channel_id, ordering_key, agent_id, paused, due_at, added) \
    SELECT channel_id, ordering_key, agent_id, paused, min(received_at), nextval('receipts') \
    FROM fresh GROUP BY channel_id, ordering_key, agent_id, paused ORDER BY channel_id, ordering_key \
    ON CONFLICT (channel_id, ordering_key) \
    DO UPDATE SET added = nextval('receipts'), due_at = coalesce(lanes.due_at, excluded.due_at) \
    RETURNING id, channel_id, ordering_key), \
    kept AS (INSERT INTO events (id, channel_id, received_at, verdict, verified_by, handler, delivery_id, \
    dedupe_key, event_type, ordering_key, state, queued, replayed, attempts) \
    SELECT id, channel_id, received_at, verdict, verified_by, handler, delivery_id, dedupe_key, event_type, \
    ordering_key, 'pending', 1, false, 0 FROM fresh WHERE (SELECT count(*) FROM lane) >= 0 \
    ORDER BY dedupe_key, place ON CONFLICT DO NOTHING RETURNING id), \
    bodies AS (INSERT INTO event_bodies (event_id, query, headers, body) \
    SELECT fresh.id, fresh.query, fresh.headers, fresh.body FROM fresh JOIN kept ON kept.id = fresh.id), \
    queued AS (INSERT INTO deliveries (lane_id, sequence, event_id, replay) \
    SELECT lane.id, nextval('receipts'), fresh.id, false FROM fresh JOIN kept ON kept.id = fresh.id \
    JOIN lane ON lane.channel_id = fresh.channel_id AND lane.ordering_key = fresh.ordering_key ORDER BY fresh.place) \
    SELECT incoming.id, incoming.channel_id IN (SELECT id FROM open) AS open, \
    incoming.id IN (SELECT id FROM kept) AS kept FROM incoming ORDER BY incoming.place";

/// Asked about what was not written: it may have been kept before.
const KNOWN: &str = "SELECT id FROM events WHERE id = ANY ($1)";

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = UuidType)]
    id: Uuid,
    /// Whether its channel is there.
    #[diesel(sql_type = Bool)]
    open: bool,
    #[diesel(sql_type = Bool)]
    kept: bool,
}

impl Row {
    fn appended(&self, known: &HashSet<Uuid>) -> Appended {
        match self {
            Self { kept: true, .. } => Appended::Kept,
            _ if known.contains(&self.id) => Appended::Kept,
            Self { open: false, .. } => Appended::ChannelGone,
            Self { open: true, .. } => Appended::Duplicate,
        }
    }
}

#[derive(QueryableByName)]
struct Known {
    #[diesel(sql_type = UuidType)]
    id: Uuid,
}

#[async_trait]
impl Inbox for PostgresStore {
    async fn append(&self, events: &[NewEvent]) -> Result<Vec<Appended>, Unavailable> {
        if events.is_empty() {
            return Ok(Vec::new());
        }
        let rows = self.keep::<Row>(statement(events)).await?;
        if rows.iter().any(|row| row.kept) {
            self.signals.announce(Topic::Delivery);
        }
        let known = known(self, &rows).await?;
        Ok(rows.iter().map(|row| row.appended(&known)).collect())
    }
}

/// Which of the events that were not written are there all the same.
async fn known(store: &PostgresStore, rows: &[Row]) -> Result<HashSet<Uuid>, StoreError> {
    let refused: Vec<Uuid> = rows.iter().filter(|row| !row.kept).map(|row| row.id).collect();
    if refused.is_empty() {
        return Ok(HashSet::new());
    }
    let found = store.select::<Known>(Statement::new(KNOWN).uuids(refused)).await?;
    Ok(found.into_iter().map(|row| row.id).collect())
}

fn statement(events: &[NewEvent]) -> Statement {
    Statement::new(APPEND)
        .uuids(each(events, |event| event.id.as_uuid()))
        .uuids(each(events, |event| event.channel.as_uuid()))
        .numbers(each(events, |event| event.received_at.as_microseconds()))
        .texts(each(events, |event| event.verdict.as_str().to_owned()))
        .optional_uuids(each(events, |event| event.verified_by.map(ChannelSecretId::as_uuid)))
        .numbers(each(events, |event| event.handler.into()))
        .optional_texts(each(events, |event| event.delivery_id.as_deref().map(shown)))
        .many_optional_bytes(each(events, dedupe_key))
        .optional_texts(each(events, |event| event.event_type.as_deref().map(shown)))
        .texts(each(events, |event| event.ordering_key.as_str().to_owned()))
        .texts(each(events, |event| shown(&event.query)))
        .many_bytes(each(events, |event| event.headers.to_bytes()))
        .many_bytes(each(events, |event| event.body.to_vec()))
}

/// A key is one of its channel; the column holds both.
fn dedupe_key(event: &NewEvent) -> Option<Vec<u8>> {
    event.dedupe_key.map(|key| [event.channel.as_uuid().as_bytes().as_slice(), &key].concat())
}

/// A text of the sender's as PostgreSQL can hold it. One event with a NUL must not hold up all the others.
fn shown(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}
