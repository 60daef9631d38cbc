//! What an answer means.

use nora_kernel::Timestamp;

use super::answer::Answer;
use super::check::{HeaderCheck, JsonCheck};
use super::retry_after::{self, RetryAfter};
use crate::manifest::format::Reason;
use crate::values::Values;
use crate::{Outcome, Rejection, Unreachable, Verdict};

const REDIRECTED: &str = "The service answered with a redirect, which is not followed.";
const NOT_JSON: &str = "The service's answer is not the JSON it documents. Check the address.";
const UNEXPECTED: &str = "The service answered, but not with what a valid credential gets.";

/// What an answer must be.
#[derive(Debug, Clone)]
pub(super) struct Success {
    pub(super) status: Vec<u16>,
    pub(super) json: Vec<JsonCheck>,
    pub(super) headers: Vec<HeaderCheck>,
}

/// One way a service says no.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    pub(super) status: Vec<u16>,
    pub(super) json: Vec<JsonCheck>,
    pub(super) headers: Vec<HeaderCheck>,
    pub(super) reason: Reason,
    pub(super) advice: Option<String>,
    pub(super) retry_after: Option<RetryAfter>,
}

impl Success {
    fn is_met(&self, answer: &Answer, values: &Values<'_>) -> bool {
        self.status.contains(&answer.status())
            && self.json.iter().all(|check| check.holds(answer, values))
            && self.headers.iter().all(|check| check.holds(answer))
    }
}

impl Failure {
    fn fits(&self, answer: &Answer, values: &Values<'_>) -> bool {
        (self.status.is_empty() || self.status.contains(&answer.status()))
            && self.json.iter().all(|check| check.holds(answer, values))
            && self.headers.iter().all(|check| check.holds(answer))
    }

    fn outcome(&self, answer: &Answer, now: Timestamp) -> Outcome {
        let mut outcome = Outcome::new(verdict(self.reason));
        outcome.advice = self.advice.clone().map(Into::into);
        if self.reason == Reason::RateLimited {
            let told = self.retry_after.as_ref().and_then(|place| place.read(answer, now));
            outcome.retry_after = told.or_else(|| retry_after::header(answer, now));
        }
        outcome
    }
}

/// Whether the answer is the one that proves the credential; if not, what it is.
pub(super) fn judge(
    answer: &Answer,
    success: &Success,
    failures: &[Failure],
    values: &Values<'_>,
    now: Timestamp,
) -> Result<(), Box<Outcome>> {
    let mut outcome = match failures.iter().find(|failure| failure.fits(answer, values)) {
        Some(failure) => failure.outcome(answer, now),
        None if success.is_met(answer, values) => return Ok(()),
        None if success.status.contains(&answer.status()) => unexpected(answer, success),
        None => by_status(answer, now),
    };
    outcome.status = Some(answer.status());
    Err(Box::new(outcome))
}

/// The right status with the wrong content. That the credential is bad is for a manifest to say, not to be guessed.
fn unexpected(answer: &Answer, success: &Success) -> Outcome {
    let advice = if answer.json.is_none() && !success.json.is_empty() { NOT_JSON } else { UNEXPECTED };
    Outcome::unreachable(Unreachable::UpstreamError).advise(advice)
}

/// What HTTP's own words mean.
///
/// Only 401, 403, 404, 410 and 429 say something about the credential or the configuration. Any other 4xx may as well
/// be the fault of the request, so it accuses nobody: it is no usable answer.
fn by_status(answer: &Answer, now: Timestamp) -> Outcome {
    match answer.status() {
        401 => Outcome::rejected(Rejection::Auth),
        403 => Outcome::rejected(Rejection::Scope),
        404 | 410 => Outcome::rejected(Rejection::NotFound),
        429 => {
            let mut outcome = Outcome::unreachable(Unreachable::RateLimited);
            outcome.retry_after = retry_after::header(answer, now);
            outcome
        }
        300..=399 => Outcome::unreachable(Unreachable::UpstreamError).advise(REDIRECTED),
        500..=599 => {
            let mut outcome = Outcome::unreachable(Unreachable::UpstreamError);
            outcome.retry_after = retry_after::header(answer, now);
            outcome
        }
        _ => Outcome::unreachable(Unreachable::UpstreamError).advise(UNEXPECTED),
    }
}

const fn verdict(reason: Reason) -> Verdict {
    match reason {
        Reason::Auth => Verdict::Rejected(Rejection::Auth),
        Reason::Scope => Verdict::Rejected(Rejection::Scope),
        Reason::NotFound => Verdict::Rejected(Rejection::NotFound),
        Reason::RateLimited => Verdict::Unreachable(Unreachable::RateLimited),
        Reason::UpstreamError => Verdict::Unreachable(Unreachable::UpstreamError),
    }
}
