//! How long to wait after a failed push.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(30);
/// No runtime may silence this service for longer.
const LONGEST_ASKED: Duration = Duration::from_hours(1);

/// The wait after the failure of attempt number `attempt` (from 1): 0.5 s doubling to 30 s.
///
/// `chance` shortens it by up to a half, so that agents of one failed machine do not return in step. A wait the
/// runtime asked for is kept, up to an hour.
pub fn backoff(attempt: u32, asked: Option<Duration>, chance: u8) -> Duration {
    let doublings = attempt.saturating_sub(1).min(16);
    let full = FIRST.saturating_mul(1 << doublings).min(LONGEST);
    let shortened = full.saturating_sub(full / 512 * u32::from(chance));
    shortened.max(asked.unwrap_or_default().min(LONGEST_ASKED))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_half_a_minute() {
        let waits: Vec<u128> = (1..=9).map(|attempt| backoff(attempt, None, 0).as_millis()).collect();
        assert_eq!(waits, [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
        assert_eq!(backoff(u32::MAX, None, 0), LONGEST);
    }

    #[test]
    fn chance_only_shortens() {
        for attempt in 1..40 {
            let (longest, shortest) = (backoff(attempt, None, 0), backoff(attempt, None, u8::MAX));
            assert!(shortest < longest && shortest >= longest / 2, "{attempt}: {shortest:?} {longest:?}");
        }
    }

    #[test]
    fn a_runtime_may_ask_for_an_hour_at_most() {
        assert_eq!(backoff(1, Some(Duration::from_mins(2)), 0), Duration::from_mins(2));
        assert_eq!(backoff(1, Some(Duration::from_hours(48)), 0), LONGEST_ASKED);
    }
}
