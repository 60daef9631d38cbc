//! What runtimes have not confirmed.

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};
use nora_integrations::ports::{Awaited, FailureClass, Unconfirmed};
use nora_kernel::Timestamp;

use crate::error::StoreError;
use crate::rows::{count, known, parse};
use crate::statement::Statement;
use crate::store::PostgresStore;

const UNCONFIRMED: &str = "\
    WITH waiting AS (SELECT false AS purge, kind, failure_class, coalesce((SELECT min(at) FROM (\
    SELECT updated_at AS at FROM integrations WHERE agent_id = target.agent_id AND generation > target.applied \
    UNION ALL SELECT removed_at FROM removals WHERE agent_id = target.agent_id AND generation > target.applied) \
    AS changes), last_synced_at, created_at) AS since \
    FROM sync_targets AS target WHERE role = 'live' AND desired > applied \
    UNION ALL SELECT true, target.kind, target.failure_class, removals.removed_at FROM removals \
    JOIN sync_targets AS target ON target.agent_id = removals.agent_id AND target.role = 'live' \
    WHERE removals.confirmed_at IS NULL \
    UNION ALL SELECT true, kind, failure_class, coalesce(retired_at, created_at) \
    FROM sync_targets WHERE role = 'retired') \
    SELECT purge, kind, failure_class, count(*) AS count, min(since) AS oldest \
    FROM waiting GROUP BY purge, kind, failure_class ORDER BY purge, kind, failure_class NULLS FIRST";

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Bool)]
    purge: bool,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Nullable<Text>)]
    failure_class: Option<String>,
    #[diesel(sql_type = BigInt)]
    count: i64,
    #[diesel(sql_type = BigInt)]
    oldest: i64,
}

impl TryFrom<Row> for Unconfirmed {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let class = |class: String| known("sync_targets.failure_class", FailureClass::from_wire(&class));
        Ok(Self {
            awaited: if row.purge { Awaited::Purge } else { Awaited::Sync },
            kind: parse("sync_targets.kind", &row.kind)?,
            reason: row.failure_class.map(class).transpose()?,
            count: count("count", row.count)?,
            oldest: Timestamp::from_microseconds(row.oldest),
        })
    }
}

pub(super) async fn unconfirmed(store: &PostgresStore) -> Result<Vec<Unconfirmed>, StoreError> {
    let rows = store.select::<Row>(Statement::new(UNCONFIRMED)).await?;
    rows.into_iter().map(Unconfirmed::try_from).collect()
}
