//! What an answer's status means, where a service has no words of its own for it.

use nora_kernel::Timestamp;

use crate::probe::retry_after;
use crate::{Outcome, Rejection, Response, Unreachable};

const REDIRECTED: &str = "The service answered with a redirect, which is not followed.";
pub(crate) const UNEXPECTED: &str = "The service answered, but not with what a valid credential gets.";

impl Outcome {
    /// What HTTP's own words mean, for an answer that is not the one which proves the credential.
    ///
    /// Only 401, 403, 404, 410 and 429 say something about the credential or the configuration. Any other 4xx may as
    /// well be the fault of the request, so it accuses nobody: it is no usable answer.
    pub fn by_status(response: &Response, now: Timestamp) -> Self {
        let mut outcome = match response.status {
            401 => Self::rejected(Rejection::Auth),
            403 => Self::rejected(Rejection::Scope),
            404 | 410 => Self::rejected(Rejection::NotFound),
            429 => Self::rate_limited(response, now),
            300..=399 => Self::unreachable(Unreachable::UpstreamError).advise(REDIRECTED),
            500..=599 => Self::asked_to_wait(Unreachable::UpstreamError, response, now),
            _ => Self::unreachable(Unreachable::UpstreamError).advise(UNEXPECTED),
        };
        outcome.status = Some(response.status);
        outcome
    }

    /// Too many requests, and how long to wait if the answer says so.
    pub fn rate_limited(response: &Response, now: Timestamp) -> Self {
        Self::asked_to_wait(Unreachable::RateLimited, response, now)
    }

    fn asked_to_wait(reason: Unreachable, response: &Response, now: Timestamp) -> Self {
        let retry_after = retry_after::header(response, now);
        Self { retry_after, status: Some(response.status), ..Self::unreachable(reason) }
    }
}
