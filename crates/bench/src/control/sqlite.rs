//! The controls over SQLite: readers of the product's file, and a writer of a file beside it, since two writers of one
//! file would wait for each other.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use anyhow::{Context as _, Result, anyhow};
use async_trait::async_trait;
use diesel::connection::SimpleConnection as _;
use diesel::{
    Connection as _, ConnectionError, ExpressionMethods as _, QueryDsl as _, QueryResult, RunQueryDsl as _,
    SqliteConnection,
};
use diesel_async::pooled_connection::deadpool::Pool;
use diesel_async::pooled_connection::{AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod};
use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;
use futures_util::FutureExt as _;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::tables::{Ids, LAST, Last, MAKE, bench_first, bench_second};
use super::{Database, READERS, TOGETHER};

diesel::table! {
    integrations (id) {
        id -> Binary,
        agent_id -> Binary,
        provider -> Text,
        label -> Text,
        config -> Text,
        secret_fields -> Text,
        secrets -> Nullable<Binary>,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

type Row = (Vec<u8>, Vec<u8>, String, String, String, String, Option<Vec<u8>>, i64, i64);

/// As durable as the product's.
const WRITER: &str = "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;";
const READER: &str = "PRAGMA busy_timeout = 5000; PRAGMA query_only = ON;";

pub(super) struct Sqlite {
    readers: Pool<SyncConnectionWrapper<SqliteConnection>>,
    runtime: Handle,
    together: SyncSender<Order>,
    single: SyncSender<Order>,
}

/// A body to write, and whom to tell.
type Order = (String, oneshot::Sender<QueryResult<()>>);

impl Sqlite {
    pub(super) fn open(path: &str) -> Result<Self> {
        let together = Writer::start(&format!("{path}.pairs"), TOGETHER, pair)?;
        let single = Writer::start(&format!("{path}.rows"), 1, row)?;
        Ok(Self { readers: readers(path)?, runtime: Handle::current(), together, single })
    }
}

fn readers(path: &str) -> Result<Pool<SyncConnectionWrapper<SqliteConnection>>> {
    let mut config = ManagerConfig::default();
    config.recycling_method = RecyclingMethod::Fast;
    config.custom_setup = Box::new(|path| {
        let path = path.to_owned();
        async move {
            let mut connection = SqliteConnection::establish(&path)?;
            connection.batch_execute(READER).map_err(ConnectionError::CouldntSetupConfiguration)?;
            Ok(SyncConnectionWrapper::new(connection))
        }
        .boxed()
    });
    let manager = AsyncDieselConnectionManager::new_with_config(path, config);
    Pool::builder(manager).max_size(READERS).build().context("no pool was made")
}

/// One thread with one connection, which commits whatever waits, up to a number, in one transaction.
struct Writer {
    connection: SqliteConnection,
    ids: Ids,
    most: usize,
    write: fn(&mut SqliteConnection, i64, &str) -> QueryResult<()>,
}

impl Writer {
    fn start(
        path: &str,
        most: usize,
        write: fn(&mut SqliteConnection, i64, &str) -> QueryResult<()>,
    ) -> Result<SyncSender<Order>> {
        let mut connection = SqliteConnection::establish(path).context("the controls' file cannot be made")?;
        connection.batch_execute(WRITER).and_then(|()| connection.batch_execute(MAKE)).context("its tables cannot")?;
        let last: Last = diesel::sql_query(LAST).get_result(&mut connection).context("its tables cannot be read")?;
        let writer = Self { connection, ids: Ids::after(last.last), most, write };
        let (sender, orders) = sync_channel(1024);
        std::thread::spawn(move || writer.serve(&orders));
        Ok(sender)
    }

    fn serve(mut self, orders: &Receiver<Order>) {
        while let Ok(first) = orders.recv() {
            let waiting: Vec<Order> = std::iter::once(first).chain(orders.try_iter().take(self.most - 1)).collect();
            let (write, ids) = (self.write, &self.ids);
            let committed = self.connection.immediate_transaction(|connection| {
                waiting.iter().try_for_each(|(body, _)| write(connection, ids.next(), body))
            });
            for (_, told) in waiting {
                let ended = if committed.is_ok() { Ok(()) } else { Err(diesel::result::Error::RollbackTransaction) };
                // Whoever asked may have gone.
                let _ = told.send(ended);
            }
        }
    }
}

fn pair(connection: &mut SqliteConnection, id: i64, body: &str) -> QueryResult<()> {
    row(connection, id, body)?;
    let second = (bench_second::id.eq(id), bench_second::body.eq("a line about it"));
    diesel::insert_into(bench_second::table).values(second).execute(connection).map(drop)
}

fn row(connection: &mut SqliteConnection, id: i64, body: &str) -> QueryResult<()> {
    let first = (bench_first::id.eq(id), bench_first::body.eq(body));
    diesel::insert_into(bench_first::table).values(first).execute(connection).map(drop)
}

async fn order(writer: &SyncSender<Order>, body: String) -> Result<()> {
    let (told, answer) = oneshot::channel();
    // There is room for far more than there are connections.
    writer.try_send((body, told)).map_err(|_| anyhow!("the writer is gone or has too much to do"))?;
    answer.await.context("the writer is gone")?.context("the transaction failed")
}

#[async_trait]
impl Database for Sqlite {
    async fn query(&self, agent: Uuid) -> Result<usize> {
        let readers = self.readers.clone();
        let query = integrations::table
            .filter(integrations::agent_id.eq(agent.as_bytes().to_vec()))
            .order((integrations::created_at.desc(), integrations::id.desc()));
        let reading = self.runtime.spawn(async move {
            let mut connection = readers.get().await.context("no connection is to be had")?;
            let rows = connection.spawn_blocking(move |connection| query.load::<Row>(connection)).await;
            Ok(rows.context("the query failed")?.len())
        });
        reading.await.context("the query's task ended")?
    }

    async fn transaction(&self, text: String) -> Result<()> {
        order(&self.together, text).await
    }

    async fn insert(&self, text: String) -> Result<()> {
        order(&self.single, text).await
    }
}
