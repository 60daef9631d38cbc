//! The database every other is a copy of.

use crate::admin::{self, Admin};
use crate::migrations;

/// One process at a time makes a template.
const LOCK: i64 = 0x6e6f_7261_7465_6d70;

/// The template's name; it is made if it is not there.
///
/// It gets its name last: a run that is killed half-way leaves one that nobody takes for complete.
pub(crate) async fn ensure(admin: &mut Admin) -> String {
    let name = format!("nora_template_{:016x}", migrations::digest());
    if exists(admin, &name).await {
        return name;
    }
    admin.execute(&format!("SELECT pg_advisory_lock({LOCK})")).await;
    if !exists(admin, &name).await {
        make(admin, &name).await;
    }
    admin.execute(&format!("SELECT pg_advisory_unlock({LOCK})")).await;
    name
}

async fn exists(admin: &mut Admin, name: &str) -> bool {
    admin.holds(&format!("SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = '{name}') AS value")).await
}

async fn make(admin: &mut Admin, name: &str) {
    let unfinished = format!("{name}_unfinished");
    admin.drop_database(&unfinished).await;
    admin.execute(&format!("CREATE DATABASE \"{unfinished}\" TEMPLATE template0 ENCODING 'UTF8'")).await;
    migrations::run(admin::connect(&admin.url_of(&unfinished)).await).await;
    // A database that somebody is connected to cannot be copied; autovacuum is somebody.
    admin.execute(&format!("ALTER DATABASE \"{unfinished}\" ALLOW_CONNECTIONS false")).await;
    let sessions = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{unfinished}'");
    admin.execute(&sessions).await;
    admin.execute(&format!("ALTER DATABASE \"{unfinished}\" RENAME TO \"{name}\"")).await;
}
