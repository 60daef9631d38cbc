//! The database behind the server's back: made, looked at and prepared for a scenario.

use anyhow::{Context as _, Result};
use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, SqliteConnection};
use tokio_postgres::{Client, NoTls};

use crate::usage::{Cpu, parent};

/// Makes every agent due now, as a long outage of this server would.
const ALL_BEHIND: &str = "UPDATE sync_targets SET desired = desired + 1, next_attempt_at = 0";

/// A database for one installation.
pub(crate) enum Database {
    /// Its work is done in the server's own process.
    Sqlite {
        file: String,
    },
    Postgres {
        url: String,
        postmaster: u32,
    },
}

impl Database {
    /// A new database of a cluster.
    pub(crate) async fn create(cluster: &str, name: &str) -> Result<Self> {
        let owner = connect(cluster).await?;
        owner.batch_execute(&format!("CREATE DATABASE {name}")).await.context("no database can be made")?;
        let (server, _) = cluster.rsplit_once('/').context("the cluster's URL names no database")?;
        let url = format!("{server}/{name}");
        let backend = connect(&url).await?.query_one("SELECT pg_backend_pid()", &[]).await?;
        Ok(Self::Postgres { url, postmaster: parent(backend.get(0))? })
    }

    /// What the controls are given.
    pub(crate) fn address(&self) -> &str {
        match self {
            Self::Sqlite { file } => file,
            Self::Postgres { url, .. } => url,
        }
    }

    /// What the database has cost so far; `None` where that is part of what the server has.
    pub(crate) fn cpu(&self) -> Result<Option<Cpu>> {
        match self {
            Self::Sqlite { .. } => Ok(None),
            Self::Postgres { postmaster, .. } => Cpu::of_family(*postmaster).map(Some),
        }
    }

    /// Puts every agent behind. No server may run.
    pub(crate) async fn put_all_behind(&self) -> Result<()> {
        match self {
            Self::Sqlite { file } => {
                let mut connection = SqliteConnection::establish(file).context("the database file does not open")?;
                connection.batch_execute(ALL_BEHIND).context("the agents cannot be put behind")
            }
            Self::Postgres { url, .. } => {
                connect(url).await?.batch_execute(ALL_BEHIND).await.context("the agents cannot be put behind")
            }
        }
    }
}

async fn connect(url: &str) -> Result<Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.context("the cluster cannot be reached")?;
    // It ends with the client.
    tokio::spawn(connection);
    Ok(client)
}
