//! What a server must be like, looked at once when the store is opened.

use std::fmt;

use diesel::QueryableByName;
use diesel::sql_types::{Integer, Text};
use diesel_async::AsyncPgConnection;

use crate::error::ConnectError;
use crate::statement::Statement;

const OLDEST: i32 = 130_000;

const VERSION: &str = "SELECT current_setting('server_version_num')::integer AS number, \
                       current_setting('server_version') AS name";

const SETTINGS: &str = "SELECT current_setting('server_encoding') AS encoding, current_setting('fsync') AS fsync, \
                        current_setting('full_page_writes') AS full_page_writes, \
                        current_setting('synchronous_commit') AS synchronous_commit, \
                        gen_random_uuid()::text AS fresh_id";

/// Something about the server that puts acknowledged changes at risk. The store works all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartWarning {
    /// `fsync` is off: a power cut can destroy the database.
    FsyncOff,
    /// `full_page_writes` is off: a power cut can destroy the database on most file systems.
    FullPageWritesOff,
    /// A commit is acknowledged before it is durable, although the session asks for `synchronous_commit = on`.
    CommitsNotDurable,
    /// `sslmode=require` without `sslrootcert`: whoever sits between can pose as the server.
    ServerNotVerified,
}

impl fmt::Display for StartWarning {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::FsyncOff => "the database server runs with fsync off: a power cut can destroy the database",
            Self::FullPageWritesOff => {
                "the database server runs with full_page_writes off: a power cut can destroy the database"
            }
            Self::CommitsNotDurable => {
                "the database server acknowledges commits before they are durable (synchronous_commit)"
            }
            Self::ServerNotVerified => {
                "sslmode=require does not verify who the database server is; \
                 use verify-full, or give sslrootcert"
            }
        })
    }
}

#[derive(QueryableByName)]
struct Version {
    #[diesel(sql_type = Integer)]
    number: i32,
    #[diesel(sql_type = Text)]
    name: String,
}

#[derive(QueryableByName)]
struct Settings {
    #[diesel(sql_type = Text)]
    encoding: String,
    #[diesel(sql_type = Text)]
    fsync: String,
    #[diesel(sql_type = Text)]
    full_page_writes: String,
    #[diesel(sql_type = Text)]
    synchronous_commit: String,
    #[diesel(sql_type = Text)]
    fresh_id: String,
}

pub(crate) struct Checked {
    pub(crate) warnings: Vec<StartWarning>,
    /// An id nobody has had, to name this process by.
    pub(crate) fresh_id: String,
}

pub(crate) async fn check(connection: &mut AsyncPgConnection) -> Result<Checked, ConnectError> {
    let version: Version = one(connection, VERSION).await?;
    if version.number < OLDEST {
        return Err(ConnectError::TooOld(version.name));
    }
    let settings: Settings = one(connection, SETTINGS).await?;
    if settings.encoding != "UTF8" {
        return Err(ConnectError::Encoding(settings.encoding));
    }
    let looked_at = [
        (settings.fsync == "on", StartWarning::FsyncOff),
        (settings.full_page_writes == "on", StartWarning::FullPageWritesOff),
        (settings.synchronous_commit != "off", StartWarning::CommitsNotDurable),
    ];
    let warnings = looked_at.into_iter().filter(|(good, _)| !good).map(|(_, warning)| warning).collect();
    Ok(Checked { warnings, fresh_id: settings.fresh_id })
}

async fn one<R>(connection: &mut AsyncPgConnection, text: &'static str) -> Result<R, ConnectError>
where
    R: QueryableByName<diesel::pg::Pg> + Send + 'static,
{
    let rows = Statement::new(text).load::<R>(connection).await.map_err(|error| ConnectError::Setup(error.into()))?;
    rows.into_iter().next().ok_or_else(|| ConnectError::Setup("it returned no row".into()))
}
