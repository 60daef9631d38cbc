//! Everything an attempt needs.

use diesel::QueryableByName;
use diesel::sql_types::Text;
use nora_webhooks::ports::{Delivery, DeliveryClaim};

use super::{lease, of_lease};
use crate::error::StoreError;
use crate::events::{StoredEventRow, stored_event_columns};
use crate::rows::parse;
use crate::store::PostgresStore;
use crate::targets::{TargetRow, target_columns};

const FETCH: &str = concat!(
    "SELECT ",
    stored_event_columns!(),
    ", ",
    target_columns!(),
    ", channel.kind AS channel_kind FROM events AS event \
     JOIN lanes ON lanes.channel_id = event.channel_id \
     JOIN event_bodies AS body ON body.event_id = event.id \
     JOIN channels AS channel ON channel.id = event.channel_id AND channel.removed_at IS NULL \
     JOIN agents AS agent ON agent.id = channel.agent_id AND agent.deleted_at IS NULL \
     JOIN sync_targets AS target ON target.agent_id = agent.id AND target.role = 'live' \
     WHERE ",
    of_lease!()
);

#[derive(QueryableByName)]
struct Row {
    #[diesel(embed)]
    event: StoredEventRow,
    #[diesel(embed)]
    target: TargetRow,
    #[diesel(sql_type = Text)]
    channel_kind: String,
}

pub(super) async fn fetch(store: &PostgresStore, claim: &DeliveryClaim) -> Result<Option<Delivery>, StoreError> {
    let rows = store.select::<Row>(lease(FETCH, claim)).await?;
    let Some(row) = rows.into_iter().next() else { return Ok(None) };
    let (target, key) = row.target.into_parts()?;
    let kind = parse("channels.kind", &row.channel_kind)?;
    Ok(Some(Delivery { event: row.event.stored()?, kind, target, key }))
}
