//! The queue of deliveries, handed out under leases.

mod claims;
mod ends;

use std::time::Duration;

use async_trait::async_trait;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable};
use diesel::sqlite::Sqlite;
use nora_kernel::{AgentId, Timestamp, Unavailable, WrappedKey};
use nora_webhooks::ports::{Backlog, Delivery, DeliveryClaim, DeliveryEnd, DeliveryStore, Held};
use nora_webhooks::{ChannelType, Verdict};

use crate::SqliteStore;
use crate::events::StoredEventRow;
use crate::failure::{Ending, corrupt};
use crate::schema::{agents, channels, event_bodies, events, lanes, sync_targets};
use crate::statement::Statement;
use crate::targets::{Live, TargetRow};
use crate::value::{Count, Id, Parsed, Time};

/// The lane of a claim whose lease has neither ended nor gone to another worker.
fn held(connection: &mut SqliteConnection, claim: &DeliveryClaim) -> QueryResult<Option<i64>> {
    let of_event = lanes::channel_id.eq(events::channel_id).and(lanes::ordering_key.eq(events::ordering_key));
    events::table
        .inner_join(lanes::table.on(of_event))
        .filter(events::id.eq(Id::from(claim.event)))
        .filter(lanes::claimed.eq(claim.sequence))
        .filter(lanes::fence.eq(claim.fence))
        .filter(lanes::lease_until.is_not_null())
        .select(lanes::id)
        .get_result(connection)
        .optional()
}

type Fetched = (StoredEventRow, Parsed<ChannelType>, TargetRow, Parsed<nora_kernel::Workspace>, Vec<u8>);

/// Reads in a transaction, so that the lease and all the rest are of one moment.
fn fetch(connection: &mut SqliteConnection, claim: &DeliveryClaim) -> Ending<Option<Delivery>> {
    connection.transaction(|connection| {
        if held(connection, claim)?.is_none() {
            return Ok(None);
        }
        let live = sync_targets::agent_id.eq(agents::id).and(sync_targets::role.eq(Live));
        let found: Option<Fetched> = events::table
            .inner_join(event_bodies::table.on(event_bodies::event_id.eq(events::id)))
            .inner_join(channels::table.on(channels::id.eq(events::channel_id)))
            .inner_join(agents::table.on(agents::id.eq(channels::agent_id)))
            .inner_join(sync_targets::table.on(live))
            .filter(events::id.eq(Id::from(claim.event)))
            .filter(channels::removed_at.is_null())
            .filter(agents::deleted_at.is_null())
            .select((
                StoredEventRow::as_select(),
                channels::kind,
                TargetRow::as_select(),
                agents::workspace,
                agents::data_key,
            ))
            .get_result(connection)
            .optional()?;
        let Some((event, kind, target, workspace, key)) = found else { return Ok(None) };
        let target = target.into_target(workspace.0).ok_or_else(|| corrupt("an address of a target does not parse"))?;
        Ok(Some(Delivery { event: event.stored()?, kind: kind.0, target, key: WrappedKey(key) }))
    })
}

/// Each part reads one small index, and no more than 100,000 entries of it.
const BACKLOG: &str = "
    SELECT
        (SELECT received_at FROM events INDEXED BY events_pending
            WHERE state = 'pending'
                AND channel_id NOT IN (SELECT id FROM channels WHERE removed_at IS NOT NULL)
            ORDER BY received_at LIMIT 1) AS oldest,
        (SELECT coalesce(sum(queued), 0) FROM (
            SELECT queued FROM events INDEXED BY events_pending
            WHERE state = 'pending'
                AND channel_id NOT IN (SELECT id FROM channels WHERE removed_at IS NOT NULL)
            ORDER BY received_at LIMIT 100000)) AS waiting,
        (SELECT count(*) FROM (
            SELECT 1 FROM events INDEXED BY events_dead
            WHERE state = 'dead'
                AND channel_id NOT IN (SELECT id FROM channels WHERE removed_at IS NOT NULL)
            LIMIT 100000)) AS dead
";

#[derive(QueryableByName)]
#[diesel(check_for_backend(Sqlite))]
struct BacklogRow {
    #[diesel(sql_type = Nullable<BigInt>)]
    oldest: Option<Time>,
    #[diesel(sql_type = BigInt)]
    waiting: Count,
    #[diesel(sql_type = BigInt)]
    dead: Count,
}

fn backlog(connection: &mut SqliteConnection) -> QueryResult<Backlog> {
    let row: BacklogRow = Statement::new(BACKLOG).get_result(connection)?;
    Ok(Backlog { oldest: row.oldest.map(|time| time.0), waiting: row.waiting.0, dead: row.dead.0 })
}

#[async_trait]
impl DeliveryStore for SqliteStore {
    async fn claim(
        &self,
        limit: u16,
        per_agent: u16,
        busy: &[AgentId],
        lease: Duration,
        now: Timestamp,
    ) -> Result<Vec<DeliveryClaim>, Unavailable> {
        let lease = claims::Lease { owner: self.boot, until: Time(now.after(lease)) };
        let share = claims::Share { limit: limit.into(), per_agent, busy: busy.to_vec() };
        self.write(move |transaction| Ok(claims::claim(transaction.connection, &share, lease, Time(now))?)).await
    }

    async fn fetch(&self, claim: &DeliveryClaim) -> Result<Option<Delivery>, Unavailable> {
        let claim = claim.clone();
        self.read(move |connection| fetch(connection, &claim)).await
    }

    async fn renew(&self, claim: &DeliveryClaim, until: Timestamp) -> Result<Held, Unavailable> {
        let claim = claim.clone();
        self.write(move |transaction| Ok(claims::renew(transaction.connection, &claim, Time(until))?)).await
    }

    async fn release(&self, claims: &[DeliveryClaim]) -> Result<(), Unavailable> {
        let claims = claims.to_vec();
        self.write(move |transaction| Ok(claims.iter().try_for_each(|claim| claims::release(transaction, claim))?))
            .await
    }

    async fn end(
        &self,
        claim: &DeliveryClaim,
        end: DeliveryEnd,
        verdict: Option<Verdict>,
        at: Timestamp,
    ) -> Result<Held, Unavailable> {
        let claim = claim.clone();
        self.write(move |transaction| Ok(ends::end(transaction, &claim, end, verdict, Time(at))?)).await
    }

    async fn changed(&self) {
        self.hub.delivery().await;
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, Unavailable> {
        let boot = self.boot;
        self.read(move |connection| Ok(claims::next_due(connection, boot)?)).await
    }

    async fn backlog(&self) -> Result<Backlog, Unavailable> {
        self.read(|connection| Ok(backlog(connection)?)).await
    }
}
