//! The controls over PostgreSQL.

use anyhow::{Context as _, Result};
use async_trait::async_trait;
use diesel::{ConnectionError, ExpressionMethods as _, QueryDsl as _};
use diesel_async::pooled_connection::deadpool::{Object, Pool};
use diesel_async::pooled_connection::{AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod};
use diesel_async::{AsyncConnection as _, AsyncPgConnection, RunQueryDsl as _, SimpleAsyncConnection as _};
use futures_util::FutureExt as _;
use tokio::runtime::Handle;
use uuid::Uuid;

use super::tables::{Ids, LAST, Last, MAKE, bench_first, bench_second};
use super::{Database, POOL};

diesel::table! {
    integrations (id) {
        id -> Uuid,
        agent_id -> Uuid,
        provider -> Text,
        label -> Text,
        config -> Text,
        secret_fields -> Text,
        secrets -> Nullable<Binary>,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

type Row = (Uuid, Uuid, String, String, String, String, Option<Vec<u8>>, i64, i64);

pub(super) struct Postgres {
    pool: Pool<AsyncPgConnection>,
    ids: Ids,
}

impl Postgres {
    pub(super) async fn open(url: &str) -> Result<Self> {
        let mut connection = AsyncPgConnection::establish(url).await.context("the database cannot be reached")?;
        connection.batch_execute(MAKE).await.context("the controls' tables cannot be made")?;
        let last: Last =
            diesel::sql_query(LAST).get_result(&mut connection).await.context("the tables are not read")?;
        Ok(Self { pool: pool(url)?, ids: Ids::after(last.last) })
    }

    async fn connection(&self) -> Result<Object<AsyncPgConnection>> {
        self.pool.get().await.context("no connection is to be had")
    }
}

/// Like the product's: connections live on the runtime that ends last and are handed out again without a question.
fn pool(url: &str) -> Result<Pool<AsyncPgConnection>> {
    let runtime = Handle::current();
    let mut config = ManagerConfig::default();
    config.recycling_method = RecyclingMethod::Fast;
    config.custom_setup = Box::new(move |url| {
        let (runtime, url) = (runtime.clone(), url.to_owned());
        async move {
            let connecting = runtime.spawn(async move { AsyncPgConnection::establish(&url).await });
            connecting.await.map_err(|error| ConnectionError::BadConnection(error.to_string()))?
        }
        .boxed()
    });
    let manager = AsyncDieselConnectionManager::new_with_config(url, config);
    Pool::builder(manager).max_size(POOL).build().context("no pool was made")
}

#[async_trait]
impl Database for Postgres {
    async fn query(&self, agent: Uuid) -> Result<usize> {
        let query = integrations::table
            .filter(integrations::agent_id.eq(agent))
            .order((integrations::created_at.desc(), integrations::id.desc()));
        let rows: Vec<Row> = query.load(&mut self.connection().await?).await.context("the query failed")?;
        Ok(rows.len())
    }

    async fn transaction(&self, text: String) -> Result<()> {
        let id = self.ids.next();
        let first = (bench_first::id.eq(id), bench_first::body.eq(text));
        let second = (bench_second::id.eq(id), bench_second::body.eq("a line about it"));
        let mut connection = self.connection().await?;
        let work = async |connection: &mut Object<AsyncPgConnection>| {
            diesel::insert_into(bench_first::table).values(first).execute(connection).await?;
            diesel::insert_into(bench_second::table).values(second).execute(connection).await
        };
        connection.transaction(work).await.context("the transaction failed")?;
        Ok(())
    }

    async fn insert(&self, text: String) -> Result<()> {
        let row = (bench_first::id.eq(self.ids.next()), bench_first::body.eq(text));
        let insert = diesel::insert_into(bench_first::table).values(row);
        insert.execute(&mut self.connection().await?).await.context("the insert failed")?;
        Ok(())
    }
}
