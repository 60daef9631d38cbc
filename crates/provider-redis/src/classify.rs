//! What the server's errors mean. Their words are the server's, and are not shown.

use nora_provider_sdk::{Outcome, Rejection, Unreachable};

const NEEDS_PASSWORD: &str = "The server asks for a password.";
const HAS_NO_PASSWORD: &str =
    "A password was given, and the server has none. Set one there (requirepass), or leave it empty here.";
const KNOWS_NO_USERS: &str = "The server is older than Redis 6 and knows no users. Leave the user empty.";
const NOT_ALLOWED: &str =
    "The user may log in, but its ACL allows neither PING nor choosing the database, or not one of them.";
const NO_DATABASE: &str = "The server has no database of this number. A cluster has number 0 alone.";
const NOT_READY: &str = "The server is busy, loading its data, or cut off from its primary.";
const PROTECTED: &str =
    "The server runs in protected mode: until it has a password, it takes connections from its own machine alone.";
const NO_ROOM: &str = "The server has no connection free.";

/// What was asked when the server said no.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// To be let in.
    Login,
    /// To answer at all.
    Use,
    /// To use a database.
    Database,
}

/// The outcome for an error of the server.
pub(crate) fn classify(step: Step, error: &str) -> Outcome {
    let (code, words) = error.split_once(' ').unwrap_or((error, ""));
    let failing = || Outcome::unreachable(Unreachable::UpstreamError);
    match code {
        "WRONGPASS" => Outcome::rejected(Rejection::Auth),
        "NOAUTH" => Outcome::rejected(Rejection::Auth).advise(NEEDS_PASSWORD),
        "NOPERM" => Outcome::rejected(Rejection::Scope).advise(NOT_ALLOWED),
        "LOADING" | "BUSY" | "MASTERDOWN" => failing().advise(NOT_READY),
        "DENIED" => failing().advise(PROTECTED),
        "ERR" => by_words(step, words).unwrap_or_else(failing),
        _ => failing(),
    }
}

/// Errors without a code of their own.
fn by_words(step: Step, words: &str) -> Option<Outcome> {
    let says = |part: &str| words.contains(part);
    let refused = Outcome::rejected(Rejection::Auth);
    match step {
        _ if says("max number of clients") => Some(Outcome::unreachable(Unreachable::UpstreamError).advise(NO_ROOM)),
        Step::Login if says("invalid password") => Some(refused),
        Step::Login if says("without any password configured") || says("no password is set") => {
            Some(refused.advise(HAS_NO_PASSWORD))
        }
        Step::Login if says("wrong number of arguments") => Some(refused.advise(KNOWS_NO_USERS)),
        Step::Database if says("out of range") || says("invalid DB index") || says("cluster mode") => {
            Some(Outcome::rejected(Rejection::NotFound).advise(NO_DATABASE))
        }
        Step::Login | Step::Use | Step::Database => None,
    }
}
