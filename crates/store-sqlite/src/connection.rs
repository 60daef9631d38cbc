//! Connections and how each of them is set up.

use diesel::connection::SimpleConnection as _;
use diesel::sql_types::{BigInt, Text};
use diesel::{Connection as _, ConnectionError, ConnectionResult, QueryResult, RunQueryDsl as _, SqliteConnection};
use diesel_async::pooled_connection::deadpool::Pool;
use diesel_async::pooled_connection::{AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod};
use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;

use crate::OpenError;

/// A connection whose work is done on threads that may block.
pub(crate) type Connection = SyncConnectionWrapper<SqliteConnection>;

/// `busy_timeout` comes first: the switch to WAL may have to wait for somebody who reads the file.
const EVERY: &str = "
    PRAGMA busy_timeout = 5000;
    PRAGMA foreign_keys = ON;
    PRAGMA trusted_schema = OFF;
    PRAGMA temp_store = MEMORY;
";
/// A commit is answered when it is on the disk. What is deleted is overwritten. Pages go from the log to the file after
/// 4,000 of them (16 MB) instead of 1,000: those of an index are written over and over, and then once.
const WRITER: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA secure_delete = ON;
    PRAGMA wal_autocheckpoint = 4000;
    PRAGMA journal_size_limit = 67108864;
";
const READER: &str = "PRAGMA query_only = ON;";

/// What `PRAGMA synchronous` says for `FULL`.
const FULL: i64 = 2;

/// Opens the connection that writes, and checks that what it writes will be durable.
pub(crate) fn writer(url: &str) -> Result<SqliteConnection, OpenError> {
    let mut connection = SqliteConnection::establish(url).map_err(OpenError::Connection)?;
    connection.batch_execute(EVERY).map_err(OpenError::Setup)?;
    connection.batch_execute(WRITER).map_err(OpenError::Setup)?;
    if is_durable(&mut connection).map_err(OpenError::Setup)? { Ok(connection) } else { Err(OpenError::NotDurable) }
}

fn is_durable(connection: &mut SqliteConnection) -> QueryResult<bool> {
    let journal: String = diesel::dsl::sql::<Text>("PRAGMA journal_mode").get_result(connection)?;
    let synchronous: i64 = diesel::dsl::sql::<BigInt>("PRAGMA synchronous").get_result(connection)?;
    Ok(journal == "wal" && synchronous == FULL)
}

/// A pool of at most `size` connections that only read. Each is opened when it is first wanted.
pub(crate) fn readers(url: &str, size: usize) -> Result<Pool<Connection>, OpenError> {
    let mut config = ManagerConfig::default();
    config.recycling_method = RecyclingMethod::Fast;
    config.custom_setup = Box::new(|url| {
        let url = url.to_owned();
        Box::pin(async move {
            let opened = tokio::task::spawn_blocking(move || reader(&url)).await;
            let opened = opened.map_err(|error| ConnectionError::BadConnection(error.to_string()))?;
            opened.map(Connection::new)
        })
    });
    let manager = AsyncDieselConnectionManager::new_with_config(url, config);
    Pool::builder(manager).max_size(size).build().map_err(|error| OpenError::Pool(error.into()))
}

fn reader(url: &str) -> ConnectionResult<SqliteConnection> {
    let mut connection = SqliteConnection::establish(url)?;
    connection.batch_execute(EVERY).map_err(ConnectionError::CouldntSetupConfiguration)?;
    connection.batch_execute(READER).map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(connection)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(connection: &mut SqliteConnection, pragma: &str) -> i64 {
        diesel::dsl::sql::<BigInt>(&format!("PRAGMA {pragma}")).get_result(connection).unwrap()
    }

    #[test]
    fn the_pragmas_are_in_force() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("nora.db");
        let (mut writer, mut reader) =
            (writer(path.to_str().unwrap()).unwrap(), reader(path.to_str().unwrap()).unwrap());
        let journal: String = diesel::dsl::sql::<Text>("PRAGMA journal_mode").get_result(&mut reader).unwrap();
        assert_eq!(journal, "wal");
        for connection in [&mut writer, &mut reader] {
            assert_eq!(says(connection, "foreign_keys"), 1);
            assert_eq!(says(connection, "busy_timeout"), 5000);
            assert_eq!(says(connection, "trusted_schema"), 0);
        }
        assert_eq!((says(&mut writer, "synchronous"), says(&mut writer, "secure_delete")), (2, 1));
        assert_eq!((says(&mut writer, "query_only"), says(&mut reader, "query_only")), (0, 1));
    }

    #[test]
    fn a_reader_cannot_write() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("nora.db");
        let (mut writer, mut reader) =
            (writer(path.to_str().unwrap()).unwrap(), reader(path.to_str().unwrap()).unwrap());
        writer.batch_execute("CREATE TABLE thing (id INTEGER)").unwrap();
        assert!(reader.batch_execute("INSERT INTO thing VALUES (1)").is_err());
    }

    #[test]
    fn without_a_log_nothing_is_durable() {
        assert!(matches!(writer(":memory:"), Err(OpenError::NotDurable)));
    }
}
