//! What the server's errors mean.

use std::error::Error as _;
use std::io;

use nora_provider_sdk::{NetworkError, Outcome, Rejection, Unreachable};
use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

const NO_RULE: &str = "The server has no rule that lets this user into this database from here. Its pg_hba.conf decides, and may ask for TLS.";
const NO_DATABASE: &str = "There is no database of this name on the server.";
const NO_ROOM: &str = "The server has no connection free.";
const NOT_READY: &str = "The server is starting up or shutting down.";
const NOT_SPOKEN: &str = "What answers there is not PostgreSQL, or it asks for something other than a password.";

/// The outcome for an error of the driver. Its text is the server's, and is not shown.
pub(crate) fn classify(error: &Error) -> Outcome {
    if let Some(code) = error.code() {
        return by_sqlstate(code);
    }
    let cause = error.source().and_then(|source| source.downcast_ref::<io::Error>()).map(io::Error::kind);
    match cause {
        // Not the stream's: the driver's own way of saying that it does not understand.
        Some(io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::Other) => not_spoken(),
        Some(kind) => Outcome::unreachable(NetworkError::from(io::Error::from(kind)).into()),
        None if error.is_closed() => Outcome::unreachable(Unreachable::Refused),
        None => not_spoken(),
    }
}

fn not_spoken() -> Outcome {
    Outcome::unreachable(Unreachable::UpstreamError).advise(NOT_SPOKEN)
}

fn by_sqlstate(code: &SqlState) -> Outcome {
    if *code == SqlState::INVALID_PASSWORD {
        Outcome::rejected(Rejection::Auth)
    } else if code.code().starts_with("28") {
        Outcome::rejected(Rejection::Auth).advise(NO_RULE)
    } else if *code == SqlState::INVALID_CATALOG_NAME {
        Outcome::rejected(Rejection::NotFound).advise(NO_DATABASE)
    } else if *code == SqlState::INSUFFICIENT_PRIVILEGE {
        Outcome::rejected(Rejection::Scope)
    } else {
        let outcome = Outcome::unreachable(Unreachable::UpstreamError);
        match *code {
            SqlState::TOO_MANY_CONNECTIONS => outcome.advise(NO_ROOM),
            SqlState::CANNOT_CONNECT_NOW | SqlState::ADMIN_SHUTDOWN | SqlState::CRASH_SHUTDOWN => {
                outcome.advise(NOT_READY)
            }
            _ => outcome,
        }
    }
}
