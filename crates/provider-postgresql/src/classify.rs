//! What the server's errors mean.

use std::error::Error as _;
use std::io;

use nora_provider_sdk::{Outcome, Rejection, Unreachable};
use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

use crate::tls::broken;

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
    let broken_stream = error.source().and_then(|source| source.downcast_ref::<io::Error>());
    match broken_stream {
        Some(cause)
            if !matches!(
                cause.kind(),
                io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::Other
            ) =>
        {
            Outcome::unreachable(broken(cause).into())
        }
        _ if error.is_closed() => Outcome::unreachable(Unreachable::Refused),
        _ => Outcome::unreachable(Unreachable::UpstreamError).advise(NOT_SPOKEN),
    }
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
