//! Points in time.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A point in time, UTC, to the microsecond: what both databases keep without loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(i64);

/// The text is not an RFC 3339 time, or lies outside the years 1 to 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an RFC 3339 time")]
pub struct InvalidTimestamp;

impl Timestamp {
    /// From microseconds since 1970-01-01T00:00:00Z.
    pub const fn from_microseconds(microseconds: i64) -> Self {
        Self(microseconds)
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    pub const fn as_microseconds(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970-01-01T00:00:00Z, rounded down.
    pub const fn as_seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// The time `duration` later, or the last one there is.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(microseconds(duration)))
    }

    /// The time `duration` earlier, or the first one there is.
    #[must_use]
    pub fn before(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(microseconds(duration)))
    }

    /// How long after `earlier` this is; zero if it is not.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0).try_into().unwrap_or(0))
    }
}

fn microseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

impl fmt::Display for Timestamp {
    /// RFC 3339, UTC, with six digits of fraction: `2026-11-23T09:30:00.000000Z`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = jiff::Timestamp::from_microsecond(self.0).map_err(|_| fmt::Error)?;
        write!(formatter, "{time:.6}")
    }
}

impl FromStr for Timestamp {
    type Err = InvalidTimestamp;

    fn from_str(text: &str) -> Result<Self, InvalidTimestamp> {
        let time: jiff::Timestamp = text.parse().map_err(|_| InvalidTimestamp)?;
        Ok(Self(time.as_microsecond()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_time_are_the_same_thing() -> Result<(), InvalidTimestamp> {
        let time: Timestamp = "2026-11-23T10:30:00.25+01:00".parse()?;
        assert_eq!(time.to_string(), "2026-11-23T09:30:00.250000Z");
        assert_eq!(time.to_string().parse::<Timestamp>()?, time);
        assert_eq!("yesterday".parse::<Timestamp>(), Err(InvalidTimestamp));
        Ok(())
    }

    #[test]
    fn arithmetic_stops_at_the_ends() {
        let now = Timestamp::from_microseconds(5);
        assert_eq!(now.after(Duration::MAX).as_microseconds(), i64::MAX);
        assert_eq!(now.since(now.after(Duration::from_secs(1))), Duration::ZERO);
        assert_eq!(now.after(Duration::from_secs(2)).since(now), Duration::from_secs(2));
    }
}
