//! Which servers died and left leases behind.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use diesel::QueryableByName;
use diesel::sql_types::Text;
use nora_kernel::Timestamp;

use crate::error::StoreError;
use crate::statement::Statement;
use crate::store::PostgresStore;

/// Puts this process on the list, takes those off it that died long ago, and returns the dead of this host: those
/// whose advisory lock nobody holds.
const DEAD: &str = "\
    WITH alive AS MATERIALIZED (SELECT (classid::bigint << 32) | objid::bigint AS key FROM pg_locks \
    WHERE locktype = 'advisory' AND objsubid = 1 AND granted \
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())), \
    listed AS (INSERT INTO servers (name, host, started_at) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING), \
    dead AS (SELECT name, host, started_at FROM servers \
    WHERE name <> $1 AND hashtextextended(name, 0) NOT IN (SELECT key FROM alive)), \
    forgotten AS (DELETE FROM servers USING dead WHERE servers.name = dead.name AND dead.started_at < $4) \
    SELECT name FROM dead WHERE host = $2";

/// How long the dead are kept on the list.
const REMEMBERED: Duration = Duration::from_hours(24);

#[derive(QueryableByName)]
struct Server {
    #[diesel(sql_type = Text)]
    name: String,
}

/// The processes of this host whose leases are free at once. Their leases run out within one lease of this process's
/// first claim, so there is nobody to look for after that.
pub(crate) async fn dead(
    store: &PostgresStore,
    first_claim: &OnceLock<Instant>,
    lease: Duration,
    now: Timestamp,
) -> Result<Vec<String>, StoreError> {
    if first_claim.get_or_init(Instant::now).elapsed() > lease {
        return Ok(Vec::new());
    }
    let dead = Statement::new(DEAD)
        .text(&*store.owner)
        .text(&*store.host)
        .number(now.as_microseconds())
        .number(now.before(REMEMBERED).as_microseconds());
    Ok(store.write::<Server>(dead).await?.into_iter().map(|server| server.name).collect())
}
