//! The rows that the controls write, and those of the product's that they read.

use std::sync::atomic::{AtomicU64, Ordering};

diesel::table! {
    bench_first (id) {
        id -> BigInt,
        body -> Text,
    }
}

diesel::table! {
    bench_second (id) {
        id -> BigInt,
        body -> Text,
    }
}

/// Makes the tables, on either database.
pub(super) const MAKE: &str = "
    CREATE TABLE IF NOT EXISTS bench_first (id bigint PRIMARY KEY, body text NOT NULL);
    CREATE TABLE IF NOT EXISTS bench_second (id bigint PRIMARY KEY, body text NOT NULL);
";

/// Finds where an earlier process stopped, on either database.
pub(super) const LAST: &str = "SELECT coalesce(max(id), 0) AS last FROM bench_first";

#[derive(diesel::QueryableByName)]
pub(super) struct Last {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    pub(super) last: i64,
}

/// Hands out ids in order, which is the cheapest for an index.
pub(super) struct Ids(AtomicU64);

impl Ids {
    pub(super) fn after(last: i64) -> Self {
        Self(AtomicU64::new(u64::try_from(last).unwrap_or_default() + 1))
    }

    pub(super) fn next(&self) -> i64 {
        i64::try_from(self.0.fetch_add(1, Ordering::Relaxed)).unwrap_or(i64::MAX)
    }
}
