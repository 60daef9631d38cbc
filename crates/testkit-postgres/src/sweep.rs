//! Databases that nobody dropped.

use crate::admin::Admin;

/// Whoever holds it sweeps; the others have better things to do.
const LOCK: i64 = 0x6e6f_7261_7377_6570;

/// No test runs for this long, so a database this old has lost its owner. Seconds.
const OLD: u32 = 3600;

/// A name nobody has had, with the time it was given, by the cluster's own clock.
pub(crate) const NEW_NAME: &str = "SELECT format('nora_test_%s_%s', floor(extract(epoch FROM clock_timestamp())), \
                                   replace(gen_random_uuid()::text, '-', '')) AS value";

/// Drops test databases that are old and that nobody is connected to.
pub(crate) async fn sweep(admin: &mut Admin) {
    let old = old(admin).await;
    if old.is_empty() || !admin.holds(&format!("SELECT pg_try_advisory_lock({LOCK}) AS value")).await {
        return;
    }
    for name in old {
        admin.drop_database(&name).await;
    }
    admin.execute(&format!("SELECT pg_advisory_unlock({LOCK})")).await;
}

async fn old(admin: &mut Admin) -> Vec<String> {
    let query = format!(
        "SELECT datname::text AS value FROM pg_database AS databases \
         WHERE datname ~ '^nora_test_[0-9]+_' \
         AND split_part(datname, '_', 3)::bigint < extract(epoch FROM clock_timestamp()) - {OLD} \
         AND NOT EXISTS (SELECT 1 FROM pg_stat_activity AS sessions WHERE sessions.datname = databases.datname)"
    );
    admin.texts(&query).await
}
