//! Logging in, and asking who one is.

use std::pin::pin;

use futures_util::future::{Either, select};
use nora_provider_sdk::{Outcome, Secret, Stream, Unreachable};
use tokio_postgres::config::SslMode;
use tokio_postgres::{Config, NoTls, SimpleQueryMessage};

use crate::classify::classify;

/// Reads nothing of anybody's, and asks no table.
const WHO_AM_I: &str = "SELECT current_user, current_database()";

const NO_ROW: &str = "The server took the password but did not say who this is.";

/// As whom to log in, and into which database.
pub(crate) struct Login {
    pub(crate) user: String,
    pub(crate) database: String,
    pub(crate) password: Secret,
}

/// Who one is, by the server's word.
pub(crate) struct Identity {
    pub(crate) user: String,
    pub(crate) database: String,
}

/// Logs in over `stream`, asks, and says goodbye.
///
/// The driver is told that TLS is off because TLS, where there is some, is the stream's.
pub(crate) async fn log_in(stream: Box<dyn Stream>, login: &Login) -> Result<Identity, Box<Outcome>> {
    let mut config = Config::new();
    config.user(&login.user).password(login.password.expose()).dbname(&login.database);
    config.application_name("nora").ssl_mode(SslMode::Disable);
    let (client, connection) = config.connect_raw(stream, NoTls).await.map_err(|error| Box::new(classify(&error)))?;
    let question = async move { client.simple_query(WHO_AM_I).await };
    let answer = match select(pin!(question), pin!(connection)).await {
        Either::Left((answer, connection)) => {
            let answer = answer.map_err(|error| Box::new(classify(&error)))?;
            // The client is gone with its question, so what is left to say is goodbye. What becomes of it changes
            // nothing about the answer.
            let _ = connection.await;
            answer
        }
        Either::Right((Err(error), _)) => return Err(Box::new(classify(&error))),
        Either::Right((Ok(()), _)) => return Err(Box::new(Outcome::unreachable(Unreachable::Refused))),
    };
    identity(&answer).ok_or_else(|| Box::new(Outcome::unreachable(Unreachable::UpstreamError).advise(NO_ROW)))
}

fn identity(messages: &[SimpleQueryMessage]) -> Option<Identity> {
    let row = messages.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    })?;
    Some(Identity { user: row.try_get(0).ok()??.to_owned(), database: row.try_get(1).ok()??.to_owned() })
}
