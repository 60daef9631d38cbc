//! How long a service asks to wait.

use std::time::Duration;

use nora_kernel::Timestamp;

use super::answer::Answer;
use super::check::{parse_header_name, parse_pointer};
use crate::Response;
use crate::manifest::error::{Checked, Problem};
use crate::manifest::format::{RetryAfterEntry, TimeUnit};

/// The longest wait that is passed on.
const LONGEST: Duration = Duration::from_hours(1);

/// Where an answer says how long to wait.
#[derive(Debug, Clone)]
pub(super) struct RetryAfter {
    place: Place,
    unit: TimeUnit,
}

#[derive(Debug, Clone)]
enum Place {
    Header(String),
    Pointer(String),
}

impl RetryAfter {
    pub(super) fn parse(entry: &RetryAfterEntry, span: std::ops::Range<usize>) -> Checked<Self> {
        let place = match (&entry.header, &entry.pointer) {
            (Some(header), None) => Place::Header(parse_header_name(header)?.to_ascii_lowercase()),
            (None, Some(pointer)) => Place::Pointer(parse_pointer(pointer)?),
            _ => return Err(Problem::new(span, "`retry_after` has exactly one of `header` and `pointer`")),
        };
        Ok(Self { place, unit: entry.unit })
    }

    /// The wait, if the answer says one.
    pub(super) fn read(&self, answer: &Answer, now: Timestamp) -> Option<Duration> {
        let text = match &self.place {
            Place::Header(name) => answer.response.header(name).map(str::to_owned),
            Place::Pointer(pointer) => answer.scalar_at(pointer),
        };
        let number: f64 = text?.trim().parse().ok()?;
        let wait = match self.unit {
            TimeUnit::Seconds => seconds(number)?,
            TimeUnit::Milliseconds => seconds(number / 1000.0)?,
            TimeUnit::UnixSeconds => seconds(number)?.saturating_sub(since_epoch(now)),
        };
        Some(wait.min(LONGEST))
    }
}

/// The `Retry-After` header: seconds, or a date.
pub(crate) fn header(response: &Response, now: Timestamp) -> Option<Duration> {
    let text = response.header("retry-after")?.trim();
    let wait = if let Some(wait) = text.parse().ok().and_then(seconds) {
        wait
    } else {
        let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
        Timestamp::from_microseconds(date.as_microsecond()).since(now)
    };
    Some(wait.min(LONGEST))
}

fn seconds(number: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(number).ok()
}

fn since_epoch(now: Timestamp) -> Duration {
    now.since(Timestamp::from_microseconds(0))
}
