//! What an answer means.

use nora_kernel::Timestamp;

use super::answer::Answer;
use super::check::{HeaderCheck, JsonCheck};
use super::retry_after::{self, RetryAfter};
use crate::manifest::format::Reason;
use crate::status::UNEXPECTED;
use crate::values::Values;
use crate::{Outcome, Rejection, Unreachable, Verdict};

const NOT_JSON: &str = "The service's answer is not the JSON it documents. Check the address.";

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
            outcome.retry_after = told.or_else(|| retry_after::header(&answer.response, now));
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
        None => Outcome::by_status(&answer.response, now),
    };
    outcome.status = Some(answer.status());
    Err(Box::new(outcome))
}

/// The right status with the wrong content. That the credential is bad is for a manifest to say, not to be guessed.
fn unexpected(answer: &Answer, success: &Success) -> Outcome {
    let advice = if answer.json.is_none() && !success.json.is_empty() { NOT_JSON } else { UNEXPECTED };
    Outcome::unreachable(Unreachable::UpstreamError).advise(advice)
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
