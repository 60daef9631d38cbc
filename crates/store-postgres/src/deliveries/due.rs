//! When there is something to do next.

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Nullable};
use nora_kernel::Timestamp;

use crate::error::StoreError;
use crate::rows::time;
use crate::statement::Statement;
use crate::store::PostgresStore;

/// Walks the lanes in the order they become due, from lease to lease, up to the first that nobody has a lease on.
/// Nothing behind that one can become due earlier.
const NEXT_DUE: &str = "\
    WITH RECURSIVE walk AS ((SELECT due_at, id, lease_until FROM lanes WHERE due_at IS NOT NULL AND NOT paused \
    ORDER BY due_at, id LIMIT 1) \
    UNION ALL SELECT next.due_at, next.id, next.lease_until FROM walk, \
    LATERAL (SELECT due_at, id, lease_until FROM lanes WHERE due_at IS NOT NULL AND NOT paused \
    AND (due_at, id) > (walk.due_at, walk.id) ORDER BY due_at, id LIMIT 1) AS next \
    WHERE walk.lease_until IS NOT NULL) \
    SELECT min(greatest(due_at, lease_until)) AS due_at FROM walk";

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Nullable<BigInt>)]
    due_at: Option<i64>,
}

pub(super) async fn next_due(store: &PostgresStore) -> Result<Option<Timestamp>, StoreError> {
    let rows = store.select::<Row>(Statement::new(NEXT_DUE)).await?;
    Ok(rows.first().and_then(|row| time(row.due_at)))
}
