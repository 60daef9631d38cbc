//! The controls: what the same work costs with nothing around it, in a process of its own.
//!
//! They run as the product does: a multi-threaded runtime around actix, one worker for each core, connections that live
//! on that runtime and are handed out again without a question.

mod handlers;
mod postgres;
mod sqlite;
mod tables;

use std::num::NonZero;
use std::sync::Arc;

use actix_web::web::{self, Data};
use actix_web::{App, HttpServer};
use anyhow::{Context as _, Result};
use async_trait::async_trait;
use uuid::Uuid;

use crate::cli::ControlArguments;

/// How many connections the product's pool of PostgreSQL has.
const POOL: usize = 10;
/// How many connections of the product's to SQLite read.
const READERS: usize = 4;
/// How many units of work the product commits together in SQLite.
const TOGETHER: usize = 64;

/// What the handlers need of a database.
#[async_trait]
trait Database: Send + Sync {
    /// One query: how many integrations an agent has, each read in full.
    async fn query(&self, agent: Uuid) -> Result<usize>;

    /// Two rows in one transaction.
    async fn transaction(&self, text: String) -> Result<()>;

    /// One row in a transaction of its own.
    async fn insert(&self, text: String) -> Result<()>;
}

/// Serves until the process is ended.
pub(crate) fn serve(arguments: &ControlArguments) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("no runtime was started")?;
    runtime.block_on(async {
        let database: Arc<dyn Database> = if arguments.database.starts_with("postgres") {
            Arc::new(postgres::Postgres::open(&arguments.database).await?)
        } else {
            Arc::new(sqlite::Sqlite::open(&arguments.database)?)
        };
        let database = Data::from(database);
        let server = HttpServer::new(move || {
            App::new()
                .app_data(Data::clone(&database))
                .route("/constant/{size}", web::get().to(handlers::constant))
                .route("/constant/{size}", web::post().to(handlers::read))
                .route("/query/{agent}/{size}", web::get().to(handlers::query))
                .route("/transaction/{size}", web::post().to(handlers::transaction))
                .route("/insert/{size}", web::post().to(handlers::insert))
        });
        let workers = std::thread::available_parallelism().map_or(2, NonZero::get);
        let server = server.workers(workers).bind(arguments.listen).context("the controls cannot listen")?;
        server.run().await.context("the controls ended")
    })
}
