//! Logging in, and asking who one is.

use async_trait::async_trait;
use futures_util::future::join;
use nora_provider_sdk::{
    Account, Attempt, Connection, Context, Outcome, Secret, Stream, Transport, Unreachable, Unready, Wire,
};
use tokio_postgres::config::SslMode;
use tokio_postgres::{Config, Error, NoTls, SimpleQueryMessage};

use crate::classify::classify;
use crate::tls::{TlsMode, secure};

/// Reads nothing of anybody's, and asks no table.
const WHO_AM_I: &str = "SELECT current_user, current_database()";

const INCOMPLETE: &str = "Nothing was sent: host, database, user and password are needed.";
const NO_ROW: &str = "The server took the password but did not say who this is.";

/// Where to log in, as whom, and into which database.
pub(crate) struct Login {
    host: String,
    port: u16,
    tls: TlsMode,
    user: String,
    database: String,
    password: Secret,
}

#[async_trait]
impl Attempt for Login {
    fn read(connection: &Connection<'_>) -> Result<Self, Unready> {
        Self::find(connection).ok_or(Unready::Untestable(INCOMPLETE))
    }

    async fn run(self, _: &Connection<'_>, context: &dyn Context) -> Result<Outcome, Box<Outcome>> {
        let stream = self.connect(context).await?.into_stream()?;
        let answer = self.log_in(stream).await.map_err(|error| classify(&error))?;
        match account(&answer) {
            Some(account) => Ok(Outcome::verified(Account::new(&account))),
            None => Err(Outcome::unreachable(Unreachable::UpstreamError).advise(NO_ROW).into()),
        }
    }
}

impl Login {
    fn find(connection: &Connection<'_>) -> Option<Self> {
        Some(Self {
            host: connection.text("host")?,
            port: connection.parsed("port")?,
            tls: TlsMode::parse(&connection.text("sslmode")?)?,
            user: connection.text("user")?,
            database: connection.text("database")?,
            password: connection.secret("password").map(Secret::duplicate)?,
        })
    }

    /// A server without TLS is called again if it may be, as one that is told the login in the clear.
    async fn connect(&self, context: &dyn Context) -> Result<Wire, Box<Outcome>> {
        if self.tls != TlsMode::Disable {
            let wire = Wire::connect(context, &self.host, self.port, Transport::Tls).await?;
            if let Some(secured) = secure(wire, self.tls, &self.host, context).await? {
                return Ok(secured);
            }
        }
        Wire::connect(context, &self.host, self.port, Transport::Plaintext).await
    }

    /// Logs in over `stream`, asks, and says goodbye.
    ///
    /// The driver is told that TLS is off because TLS, where there is some, is the stream's.
    async fn log_in(&self, stream: Box<dyn Stream>) -> Result<Vec<SimpleQueryMessage>, Error> {
        let mut config = Config::new();
        config.user(&self.user).password(self.password.expose()).dbname(&self.database);
        config.application_name("nora").ssl_mode(SslMode::Disable);
        let (client, connection) = config.connect_raw(stream, NoTls).await?;
        // The client is gone with its answer, so the connection says goodbye and ends.
        let question = async move { client.simple_query(WHO_AM_I).await };
        match join(question, connection).await {
            // The question only knows that nobody answers any more.
            (Err(error), Err(cause)) if error.is_closed() => Err(cause),
            (answer, _) => answer,
        }
    }
}

/// Who one is, by the server's word.
fn account(messages: &[SimpleQueryMessage]) -> Option<String> {
    let row = messages.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    })?;
    Some(format!("{} in {}", row.try_get(0).ok()??, row.try_get(1).ok()??))
}
