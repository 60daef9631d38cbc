//! The store itself: its connections, and how units of work run on them.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use diesel::pg::Pg;
use diesel::{ConnectionError, QueryableByName};
use diesel_async::AsyncPgConnection;
use diesel_async::pooled_connection::deadpool::{Object, Pool};
use diesel_async::pooled_connection::{AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::AbortHandle;
use tokio::time::timeout;

use crate::checks::{self, StartWarning};
use crate::connector::{Connector, Session};
use crate::deliveries::Ends;
use crate::error::{ConnectError, MigrateError, StoreError};
use crate::listener::Listener;
use crate::migrations;
use crate::options::PostgresOptions;
use crate::signals::Signals;
use crate::statement::Statement;

/// How long a unit of work waits for a connection.
const POOL_WAIT: Duration = Duration::from_secs(2);
/// How long a unit of work may take. The server ends a statement earlier; this is for a network that went silent.
const DEADLINE: Duration = Duration::from_secs(6);
/// How long opening the store may take.
const START: Duration = Duration::from_secs(10);

/// How many connections keep what comes in.
const INBOX: usize = 2;
/// The part of the connections that workers use at most, and one more: the others are for requests.
const WORKERS_SHARE: usize = 4;

/// What a unit of work returns from its connection.
pub(crate) type Work<'c, T> = BoxFuture<'c, Result<T, StoreError>>;

/// Every port over one PostgreSQL database.
///
/// It is opened on the process's main runtime and may be used from any other. Dropping it ends its tasks: the listening
/// connection and the recording of ended deliveries.
pub struct PostgresStore {
    pub(crate) signals: Arc<Signals>,
    /// The name this process's leases carry: the host and an id of this process.
    pub(crate) owner: Arc<str>,
    pub(crate) host: String,
    pub(crate) first_claim: OnceLock<Instant>,
    pub(crate) first_delivery_claim: OnceLock<Instant>,
    pub(crate) first_redeploy_claim: OnceLock<Instant>,
    pub(crate) ends: Ends,
    connector: Arc<Connector>,
    pool: Pool<AsyncPgConnection>,
    inbox: Pool<AsyncPgConnection>,
    workers: Semaphore,
    runtime: Handle,
    listening: AbortHandle,
    recording: AbortHandle,
    warnings: Vec<StartWarning>,
}

impl PostgresStore {
    /// Opens the database. Nothing in it is changed: [`migrate`](Self::migrate) comes next.
    ///
    /// Connections live on the runtime this is awaited on, so that must be the one that ends last.
    ///
    /// # Errors
    ///
    /// The URL cannot be used, the server cannot be reached, or it is not fit for this store. No error holds anything
    /// of the URL.
    pub async fn connect(options: PostgresOptions) -> Result<Self, ConnectError> {
        let late = |_| ConnectError::Unreachable("it did not answer in time".into());
        timeout(START, Self::open(options)).await.map_err(late)?
    }

    async fn open(options: PostgresOptions) -> Result<Self, ConnectError> {
        let runtime = Handle::current();
        let connector = Arc::new(Connector::new(&options, runtime.clone())?);
        let checked = checks::check(&mut connector.connect(Session::Work).await?).await?;
        let mut warnings = checked.warnings;
        warnings.extend(connector.trusts_anybody().then_some(StartWarning::ServerNotVerified));
        let owner: Arc<str> = format!("{}/{}", options.host, checked.fresh_id).into();
        let signals = Arc::new(Signals::new());
        let listener =
            Listener { connector: Arc::clone(&connector), signals: Arc::clone(&signals), owner: Arc::clone(&owner) };
        let ear = listener.open().await?;
        let listening = runtime.spawn(listener.run(ear)).abort_handle();
        let inbox = pool(&connector, Session::Inbox, INBOX)?;
        let pool = pool(&connector, Session::Work, options.pool_size)?;
        let (ends, recorder) = Ends::new(pool.clone(), Arc::clone(&signals));
        let recording = runtime.spawn(recorder.run()).abort_handle();
        let workers = Semaphore::new(options.pool_size / WORKERS_SHARE + 1);
        Ok(Self {
            signals,
            owner,
            host: options.host,
            first_claim: OnceLock::new(),
            first_delivery_claim: OnceLock::new(),
            first_redeploy_claim: OnceLock::new(),
            ends,
            connector,
            pool,
            inbox,
            workers,
            runtime,
            listening,
            recording,
            warnings,
        })
    }

    /// What about the server puts acknowledged changes at risk.
    pub fn warnings(&self) -> &[StartWarning] {
        &self.warnings
    }

    /// Brings the schema up to date. Servers that start at once do it one after the other.
    ///
    /// # Errors
    ///
    /// [`MigrateError::NewerSchema`] if a newer release has been here; nothing is changed then.
    pub async fn migrate(&self) -> Result<(), MigrateError> {
        migrations::run(self.connector.connect(Session::Migrate).await?).await
    }

    /// Does what a worker asks for. However far workers are behind, requests find connections; and what workers put off
    /// meanwhile is less to do, because changes of one agent become one push.
    pub(crate) async fn for_worker<T>(&self, work: impl Future<Output = T>) -> T {
        // It is never closed; if it were, there would be nothing to wait for.
        let _turn = self.workers.acquire().await;
        work.await
    }

    /// Runs a unit of work on a task of its own: whoever waits for it may go, and it still runs to its end.
    pub(crate) async fn work<T, F>(&self, unit: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut AsyncPgConnection) -> Work<'c, T> + Send + 'static,
    {
        let pool = self.pool.clone();
        self.runtime.spawn(async move { on_connection(&pool, unit).await }).await?
    }

    /// Runs one statement that writes and returns no rows, like [`work`](Self::work); says how many it changed.
    pub(crate) async fn execute(&self, statement: Statement) -> Result<usize, StoreError> {
        self.work(move |connection| async move { Ok(statement.run(connection).await?) }.boxed()).await
    }

    /// Runs one statement that writes, like [`work`](Self::work).
    pub(crate) async fn write<R>(&self, statement: Statement) -> Result<Vec<R>, StoreError>
    where
        R: QueryableByName<Pg> + Send + 'static,
    {
        self.write_on(self.pool.clone(), statement).await
    }

    /// Runs the statement that keeps what comes in, like [`work`](Self::work).
    pub(crate) async fn keep<R>(&self, statement: Statement) -> Result<Vec<R>, StoreError>
    where
        R: QueryableByName<Pg> + Send + 'static,
    {
        self.write_on(self.inbox.clone(), statement).await
    }

    async fn write_on<R>(&self, pool: Pool<AsyncPgConnection>, statement: Statement) -> Result<Vec<R>, StoreError>
    where
        R: QueryableByName<Pg> + Send + 'static,
    {
        self.runtime.spawn(async move { load(&pool, statement).await }).await?
    }

    /// Runs statements that only read, each for itself. Nothing is left behind by one whose reader goes.
    pub(crate) async fn read<T, F>(&self, query: F) -> Result<T, StoreError>
    where
        F: for<'c> FnOnce(&'c mut AsyncPgConnection) -> Work<'c, T>,
    {
        on_connection(&self.pool, query).await
    }

    /// Runs one statement that only reads.
    pub(crate) async fn select<R>(&self, statement: Statement) -> Result<Vec<R>, StoreError>
    where
        R: QueryableByName<Pg> + Send + 'static,
    {
        load(&self.pool, statement).await
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("PostgresStore").field("owner", &self.owner).finish_non_exhaustive()
    }
}

impl Drop for PostgresStore {
    fn drop(&mut self) {
        self.listening.abort();
        self.recording.abort();
    }
}

/// Runs one statement.
pub(crate) async fn load<R>(pool: &Pool<AsyncPgConnection>, statement: Statement) -> Result<Vec<R>, StoreError>
where
    R: QueryableByName<Pg> + Send + 'static,
{
    on_connection(pool, move |connection| async move { Ok(statement.load::<R>(connection).await?) }.boxed()).await
}

async fn on_connection<T, F>(pool: &Pool<AsyncPgConnection>, unit: F) -> Result<T, StoreError>
where
    F: for<'c> FnOnce(&'c mut AsyncPgConnection) -> Work<'c, T>,
{
    let mut connection = checkout(pool).await?;
    timeout(DEADLINE, unit(&mut connection)).await.map_err(|_| StoreError::Deadline)?
}

async fn checkout(pool: &Pool<AsyncPgConnection>) -> Result<Object<AsyncPgConnection>, StoreError> {
    timeout(POOL_WAIT, pool.get()).await.map_err(|_| StoreError::PoolWait)?.map_err(StoreError::Pool)
}

fn pool(connector: &Arc<Connector>, session: Session, size: usize) -> Result<Pool<AsyncPgConnection>, ConnectError> {
    let connector = Arc::clone(connector);
    let mut config = ManagerConfig::default();
    // A lost connection is noticed by the task that drives it; asking the server each time would double every query.
    config.recycling_method = RecyclingMethod::Fast;
    config.custom_setup = Box::new(move |_| {
        let connector = Arc::clone(&connector);
        async move { connector.connect(session).await.map_err(|error| into_diesel(&error)) }.boxed()
    });
    let manager = AsyncDieselConnectionManager::new_with_config("", config);
    Pool::builder(manager).max_size(size.max(1)).build().map_err(|error| ConnectError::Setup(error.into()))
}

/// Diesel keeps a text of what went wrong.
fn into_diesel(error: &ConnectError) -> ConnectionError {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    ConnectionError::BadConnection(text)
}
