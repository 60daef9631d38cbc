//! What the server's codes mean. Its words are not shown.

use nora_provider_sdk::{Outcome, Rejection, Unreachable};

const APP_PASSWORD: &str =
    "Where the account has a second factor, the server wants an app password in place of the usual one.";
const WANTS_APP_PASSWORD: &str =
    "The server takes no login of this kind for the account. An app password may help, where the service has them.";
const WANTS_TLS: &str = "The server wants TLS before a login. Choose starttls, or tls with port 465.";
const LATER: &str = "The server cannot check the login now. It may have seen too many attempts.";
const CLOSED: &str = "The server takes no connections now.";
const NOT_SPOKEN: &str = "What answers there is no mail submission server. Check the host and the port.";

/// The outcome for a reply that was not hoped for.
pub(crate) fn classify(code: u16) -> Outcome {
    let refused = || Outcome::rejected(Rejection::Auth);
    let failing = || Outcome::unreachable(Unreachable::UpstreamError);
    match code {
        535 => refused().advise(APP_PASSWORD),
        432 | 504 | 534 => refused().advise(WANTS_APP_PASSWORD),
        525 => refused(),
        530 | 538 => refused().advise(WANTS_TLS),
        454 => failing().advise(LATER),
        421 => failing().advise(CLOSED),
        200..600 => failing(),
        _ => failing().advise(NOT_SPOKEN),
    }
}
