//! How far delivery is behind.

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Nullable};
use nora_webhooks::ports::Backlog;

use crate::error::StoreError;
use crate::rows::{count, time};
use crate::statement::Statement;
use crate::store::PostgresStore;

/// Each part reads one small index, and no more than 100,000 entries of it. What a removed channel has left is on its
/// way out and does not count; there is rarely one at all.
const BACKLOG: &str = "\
    WITH removed AS MATERIALIZED (SELECT array_agg(id) AS ids FROM channels WHERE removed_at IS NOT NULL), \
    waiting AS (SELECT received_at, queued FROM events, removed \
    WHERE state = 'pending' AND (removed.ids IS NULL OR channel_id <> ALL (removed.ids)) \
    ORDER BY received_at LIMIT 100000), \
    dead AS (SELECT FROM events, removed \
    WHERE state = 'dead' AND (removed.ids IS NULL OR channel_id <> ALL (removed.ids)) \
    ORDER BY channel_id LIMIT 100000) \
    SELECT (SELECT min(received_at) FROM waiting) AS oldest, \
    (SELECT coalesce(sum(queued), 0)::bigint FROM waiting) AS waiting, (SELECT count(*) FROM dead) AS dead";

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Nullable<BigInt>)]
    oldest: Option<i64>,
    #[diesel(sql_type = BigInt)]
    waiting: i64,
    #[diesel(sql_type = BigInt)]
    dead: i64,
}

pub(super) async fn backlog(store: &PostgresStore) -> Result<Backlog, StoreError> {
    let rows = store.select::<Row>(Statement::new(BACKLOG)).await?;
    let Some(row) = rows.first() else { return Ok(Backlog::default()) };
    let (waiting, dead) = (count("deliveries", row.waiting)?, count("events", row.dead)?);
    Ok(Backlog { oldest: time(row.oldest), waiting, dead })
}
