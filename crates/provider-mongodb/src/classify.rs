//! What the server's errors mean. Their words are the server's, and are not shown.

use nora_provider_sdk::{NetworkError, Outcome, Rejection, Unreachable};

use crate::bson::Document;

const NEEDS_LOGIN: &str = "The server asks for a login, and the connection string names no user.";
const MAY_NOT: &str = "The server knows the user, but does not let it do what a login needs.";
const NO_MECHANISM: &str =
    "Nothing was proved: the server does not offer SCRAM-SHA-256, and a connection test logs in with nothing else.";
const NOT_READY: &str = "The server is shutting down, starting up or changing its role.";
const NOT_SPOKEN: &str = "What answers there is not MongoDB. Check the host and the port.";
const CUT: &str = "The connection was refused or cut. A server that wants TLS does so too: add tls=true then.";
const NO_TLS: &str = "No trusted TLS session could be made. A connection test always verifies the certificate.";

/// What was asked when the server said no.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// To be let in.
    Login,
    /// To answer one who is in.
    Use,
    /// To answer one who has no login.
    Anonymous,
}

/// The outcome for a reply that is an error.
pub(crate) fn classify(step: Step, reply: &Document) -> Outcome {
    let failing = || Outcome::unreachable(Unreachable::UpstreamError);
    match (reply.number("code"), step) {
        // Unauthorized, and Atlas' own.
        (Some(13 | 8000), Step::Anonymous) => Outcome::rejected(Rejection::Auth).advise(NEEDS_LOGIN),
        (Some(13 | 8000), Step::Use) | (Some(13), Step::Login) => Outcome::rejected(Rejection::Scope).advise(MAY_NOT),
        // UserNotFound, AuthenticationFailed.
        (Some(11 | 18 | 8000), _) => Outcome::rejected(Rejection::Auth),
        // MechanismUnavailable.
        (Some(334), _) => no_mechanism(),
        // ShutdownInProgress, PrimarySteppedDown, InterruptedAtShutdown, InterruptedDueToReplStateChange,
        // NotPrimaryOrSecondary.
        (Some(91 | 189 | 11600 | 11602 | 13436), _) => failing().advise(NOT_READY),
        (Some(_), _) => failing(),
        (None, _) => failing().advise(NOT_SPOKEN),
    }
}

pub(crate) fn no_mechanism() -> Outcome {
    Outcome::unverifiable(NO_MECHANISM)
}

/// The outcome where what came is not MongoDB's.
pub(crate) fn not_spoken() -> Outcome {
    Outcome::unreachable(Unreachable::UpstreamError).advise(NOT_SPOKEN)
}

/// The outcome where no answer came, or none that is MongoDB's. `tls` says whether it was spoken.
pub(crate) fn unreachable(error: NetworkError, tls: bool) -> Outcome {
    let outcome = Outcome::unreachable(error.into());
    match error {
        NetworkError::Protocol => not_spoken(),
        NetworkError::Refused if !tls => outcome.advise(CUT),
        NetworkError::Tls => outcome.advise(NO_TLS),
        _ => outcome,
    }
}
