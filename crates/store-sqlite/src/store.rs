//! Opening the store.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use diesel::sql_types::BigInt;
use diesel::{RunQueryDsl as _, SqliteConnection};
use diesel_async::pooled_connection::deadpool::Pool;
use nora_kernel::{BoxError, Clock, IdSource, Timestamp, Unavailable};
use tokio::runtime::Handle;

use crate::connection::{self, Connection};
use crate::failure::{Abort, Ending, unavailable};
use crate::file::LockedFile;
use crate::hub::Hub;
use crate::statement::Statement;
use crate::value::{Id, Time};
use crate::writer::{Transaction, Writer};

/// How long a read waits for a connection.
const PATIENCE: Duration = Duration::from_secs(2);
/// How many reads run at once unless it is said otherwise.
const READERS: usize = 4;

/// What a store is opened with.
#[derive(Clone)]
pub struct Options {
    /// The time, where no argument of a port says it.
    pub clock: Arc<dyn Clock>,
    /// Where the id of this opening comes from. Leases of earlier openings count as ended.
    pub ids: Arc<dyn IdSource>,
    /// How many reads may run at once.
    pub readers: usize,
}

impl Options {
    /// Options with the usual number of readers.
    pub fn new(clock: Arc<dyn Clock>, ids: Arc<dyn IdSource>) -> Self {
        Self { clock, ids, readers: READERS }
    }
}

/// Why the store was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file, or the lock beside it, cannot be made, read or locked.
    #[error("the database file cannot be used")]
    File(#[source] std::io::Error),
    /// The path is not UTF-8.
    #[error("the path of the database file is not UTF-8")]
    Path,
    /// Another process, or this one, has the file open.
    #[error("another process uses the database file; SQLite serves one server")]
    InUse,
    /// SQLite does not open the file.
    #[error("the database file does not open")]
    Connection(#[source] diesel::ConnectionError),
    /// A connection could not be set up.
    #[error("the database connection cannot be set up")]
    Setup(#[source] diesel::result::Error),
    /// The file system does not allow a write-ahead log.
    #[error("the database would not be durable here: no write-ahead log on this file system")]
    NotDurable,
    /// The pool of readers was not built.
    #[error("the pool of database connections cannot be built")]
    Pool(#[source] BoxError),
}

/// Every store port over one SQLite file.
///
/// It belongs to the runtime it was opened on: whoever calls it from another one (a worker of an HTTP server) may go
/// away at any time without leaving anything half done.
pub struct SqliteStore {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) boot: Id,
    pub(crate) hub: Arc<Hub>,
    runtime: Handle,
    readers: Pool<Connection>,
    writer: Writer,
}

impl SqliteStore {
    /// Opens the database file, making it if there is none. Its directory must exist.
    ///
    /// The schema is not looked at: see [`migrate`](Self::migrate).
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub async fn open(path: &Path, options: Options) -> Result<Self, OpenError> {
        let Options { clock, ids, readers } = options;
        let path = path.to_owned();
        let opened = tokio::task::spawn_blocking(move || {
            let file = LockedFile::open(&path)?;
            let connection = connection::writer(file.url()?)?;
            Ok((file, connection))
        });
        let (file, connection) = opened.await.map_err(|error| OpenError::Pool(error.into()))??;
        let readers = connection::readers(file.url()?, readers)?;
        let (hub, runtime) = (Arc::new(Hub::new()), Handle::current());
        let writer = Writer::start(connection, Arc::new(file), Arc::clone(&hub), &runtime);
        Ok(Self { clock, boot: Id(ids.next()), hub, runtime, readers, writer })
    }

    /// Finishes what is under way and closes the file, so that it can be opened again. Calls that come later find
    /// the store unavailable.
    pub async fn close(&self) {
        self.readers.close();
        self.writer.close().await;
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Does a unit of work that may write. See [`Writer::write`].
    pub(crate) async fn write<T, E, W>(&self, work: W) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Unavailable> + Send + 'static,
        W: FnOnce(&mut Transaction<'_>) -> Ending<T, E> + Send + 'static,
    {
        self.writer.write(work).await
    }

    /// Carries out a statement that deletes what has passed a moment, its first parameter, and at most as many rows as
    /// its second; says how many.
    pub(crate) async fn prune_by(&self, text: &'static str, before: Timestamp, limit: u32) -> Result<u64, Unavailable> {
        self.write(move |transaction| {
            let prune = Statement::new(text).bind::<BigInt, _>(Time(before)).bind::<BigInt, _>(i64::from(limit));
            Ok(u64::try_from(prune.execute(transaction.connection)?).unwrap_or(u64::MAX))
        })
        .await
    }

    /// Does a unit of work that only reads. One of several statements opens a transaction to see one moment.
    ///
    /// It runs on the store's own runtime: a connection must not be dropped by one that ends first.
    pub(crate) async fn read<T, W>(&self, work: W) -> Result<T, Unavailable>
    where
        T: Send + 'static,
        W: FnOnce(&mut SqliteConnection) -> Ending<T> + Send + 'static,
    {
        let readers = self.readers.clone();
        let task = self.runtime.spawn(async move {
            let connection = tokio::time::timeout(PATIENCE, readers.get()).await;
            let connection = connection.map_err(Unavailable::transient)?;
            let mut connection = connection.map_err(Unavailable::transient)?;
            let ending = connection.spawn_blocking(move |connection| Ok(work(connection))).await;
            ending.map_err(unavailable)?.map_err(Abort::into_error)
        });
        task.await.map_err(Unavailable::transient)?
    }
}
