//! How connections are made.

use std::error::Error as _;
use std::time::Duration;

use diesel::ConnectionError;
use diesel_async::AsyncPgConnection;
use nora_kernel::BoxError;
use tokio::runtime::Handle;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::address::{Address, Roots, SslMode};
use crate::error::ConnectError;
use crate::options::PostgresOptions;
use crate::tls;

/// What every session runs with. The units of work are written for this isolation level.
const EVERY_SESSION: &str =
    "-c idle_in_transaction_session_timeout=10000 -c default_transaction_isolation=read\\ committed";

/// How long the network may be silent about data that was sent before the connection counts as lost.
const SILENCE: Duration = Duration::from_secs(10);
const KEEPALIVE_IDLE: Duration = Duration::from_secs(30);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
const KEEPALIVE_RETRIES: u32 = 3;

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Session {
    /// Units of work.
    Work,
    /// Keeping what comes in. A statement joins many events to themselves, of which the planner expects a few: its
    /// loops would cost the square of their number.
    Inbox,
    /// Listening. What it writes, a notification, need not survive a crash.
    Listen,
    /// Migrations, which take as long as they take but must not stop everybody who waits behind their locks.
    Migrate,
}

impl Session {
    const fn settings(self) -> &'static str {
        match self {
            Self::Work => "-c statement_timeout=5000 -c lock_timeout=2000 -c synchronous_commit=on",
            Self::Inbox => {
                "-c statement_timeout=5000 -c lock_timeout=2000 -c synchronous_commit=on -c enable_nestloop=off"
            }
            Self::Listen => "-c statement_timeout=5000 -c lock_timeout=2000 -c synchronous_commit=off",
            Self::Migrate => "-c statement_timeout=0 -c lock_timeout=0 -c synchronous_commit=on",
        }
    }
}

/// Makes connections that live on the runtime the store was opened on.
///
/// A connection ends with the runtime that drives it, and those of HTTP workers end first.
pub(crate) struct Connector {
    config: Config,
    tls: Option<MakeRustlsConnect>,
    trusts_anybody: bool,
    runtime: Handle,
}

impl Connector {
    pub(crate) fn new(options: &PostgresOptions, runtime: Handle) -> Result<Self, ConnectError> {
        let address = Address::parse(options.url.expose())?;
        let tls = tls::connector(&address, &options.tls)?;
        let trusts_anybody = address.mode == SslMode::Require && address.roots == Roots::Callers;
        let mut config = address.config;
        let mode = if tls.is_some() {
            tokio_postgres::config::SslMode::Require
        } else {
            tokio_postgres::config::SslMode::Disable
        };
        config.ssl_mode(mode);
        if config.get_application_name().is_none() {
            config.application_name("nora");
        }
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(SILENCE);
        }
        if config.get_keepalives_interval().is_none() {
            config.keepalives_idle(KEEPALIVE_IDLE).keepalives_interval(KEEPALIVE_INTERVAL);
            config.keepalives_retries(KEEPALIVE_RETRIES);
        }
        Ok(Self { config, tls, trusts_anybody, runtime })
    }

    /// Whether the server's certificate is not looked at.
    pub(crate) fn trusts_anybody(&self) -> bool {
        self.trusts_anybody
    }

    pub(crate) async fn connect(&self, session: Session) -> Result<AsyncPgConnection, ConnectError> {
        let mut config = self.config.clone();
        let given = config.get_options().unwrap_or_default();
        let settings = format!("{given} {EVERY_SESSION} {}", session.settings());
        config.options(settings.trim_start());
        let tls = self.tls.clone();
        let connecting = self.runtime.spawn(async move { establish(&config, tls).await });
        connecting.await.map_err(|stopped| ConnectError::Unreachable(stopped.into()))?
    }
}

async fn establish(config: &Config, tls: Option<MakeRustlsConnect>) -> Result<AsyncPgConnection, ConnectError> {
    let connection = match tls {
        None => {
            let (client, connection) = config.connect(NoTls).await.map_err(classify)?;
            AsyncPgConnection::try_from_client_and_connection(client, connection).await
        }
        Some(tls) => {
            let (client, connection) = config.connect(tls).await.map_err(classify)?;
            AsyncPgConnection::try_from_client_and_connection(client, connection).await
        }
    };
    connection.map_err(|error: ConnectionError| ConnectError::Setup(error.into()))
}

fn classify(error: tokio_postgres::Error) -> ConnectError {
    let code = error.code().cloned();
    let tls_trouble = error.to_string() == "error performing TLS handshake";
    let plain_text_only = error.source().is_some_and(|source| source.to_string() == "server does not support TLS");
    let error = BoxError::from(error);
    match code {
        Some(SqlState::INVALID_PASSWORD | SqlState::INVALID_AUTHORIZATION_SPECIFICATION) => {
            ConnectError::Refused(error)
        }
        Some(SqlState::INVALID_CATALOG_NAME) => ConnectError::NoSuchDatabase(error),
        Some(_) => ConnectError::Setup(error),
        None if plain_text_only => ConnectError::NoTls,
        None if tls_trouble => ConnectError::Tls(error),
        None => ConnectError::Unreachable(error),
    }
}
