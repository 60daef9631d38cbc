//! When there is something to do next.

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Nullable};
use nora_kernel::Timestamp;

use crate::error::StoreError;
use crate::rows::time;
use crate::statement::Statement;
use crate::store::PostgresStore;

/// Walks the index of what is due from lease to lease, up to the first target that nobody has a lease on. Nothing
/// behind that one can become due earlier. One step reads one entry, however many rows the planner expects.
macro_rules! walk {
    ($condition:literal) => {
        concat!(
            "((SELECT due_at, id, lease_until FROM sync_targets WHERE ",
            $condition,
            " AND due_at IS NOT NULL ORDER BY due_at, id LIMIT 1) \
             UNION ALL SELECT next.due_at, next.id, next.lease_until FROM walk, \
             LATERAL (SELECT due_at, id, lease_until FROM sync_targets WHERE ",
            $condition,
            " AND due_at IS NOT NULL AND (due_at, id) > (walk.due_at, walk.id) ORDER BY due_at, id LIMIT 1) AS next \
             WHERE walk.lease_until IS NOT NULL)"
        )
    };
}

const NEXT_DUE: &str = concat!(
    "SELECT least((WITH RECURSIVE walk AS ",
    walk!("NOT is_check"),
    " SELECT min(greatest(due_at, lease_until)) FROM walk), (WITH RECURSIVE walk AS ",
    walk!("is_check"),
    " SELECT min(greatest(due_at, lease_until)) FROM walk)) AS due_at"
);

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Nullable<BigInt>)]
    due_at: Option<i64>,
}

pub(super) async fn next_due(store: &PostgresStore) -> Result<Option<Timestamp>, StoreError> {
    let rows = store.select::<Row>(Statement::new(NEXT_DUE)).await?;
    Ok(rows.first().and_then(|row| time(row.due_at)))
}
