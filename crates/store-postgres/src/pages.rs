//! Pages of lists that are ordered by time and id, newest first.

use nora_kernel::{Cursor, PageRequest};
use uuid::Uuid;

/// What a page lies behind: the last item of the page before it, or what is newer than any.
pub(crate) fn behind(cursor: Option<Cursor>) -> (i64, Uuid) {
    cursor.map_or((i64::MAX, Uuid::max()), |cursor| (cursor.at.as_microseconds(), cursor.id))
}

/// One more than the page holds shows whether another follows.
pub(crate) fn one_more(page: PageRequest) -> i64 {
    i64::from(page.limit.get()) + 1
}
