//! What the server's errors mean. Their words are the server's, and are not shown.

use bson::RawDocument;
use nora_provider_sdk::{NetworkError, Outcome, Rejection, Unreachable, Verdict};

use crate::session::number;

const NEEDS_LOGIN: &str = "The server asks for a login, and the connection string names no user.";
const MAY_NOT: &str = "The server knows the user, but does not let it do what a login needs.";
const NO_MECHANISM: &str =
    "Nothing was proved: the server does not offer SCRAM-SHA-256, and a connection test logs in with nothing else.";
const NOT_READY: &str = "The server is shutting down, starting up or changing its role.";
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
pub(crate) fn classify(step: Step, reply: &RawDocument) -> Outcome {
    let failing = || Outcome::unreachable(Unreachable::UpstreamError);
    match (number(reply, "code"), step) {
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
        (None, _) => *Box::from(NetworkError::Protocol),
    }
}

pub(crate) fn no_mechanism() -> Outcome {
    Outcome::unverifiable(NO_MECHANISM)
}

/// What to do where no answer came. `tls` says whether it was spoken.
pub(crate) fn advised(outcome: Outcome, tls: bool) -> Outcome {
    let outcome = outcome.advise_on(&Verdict::Unreachable(Unreachable::Tls), NO_TLS);
    if tls { outcome } else { outcome.advise_on(&Verdict::Unreachable(Unreachable::Refused), CUT) }
}
