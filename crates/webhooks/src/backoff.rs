//! How long to wait after a delivery that failed, and when to give up.

use std::time::Duration;

use nora_kernel::Timestamp;

use crate::ports::DeliveryClaim;

const FIRST: Duration = Duration::from_millis(500);
/// The longest wait while a delivery is young.
const LONGEST_YOUNG: Duration = Duration::from_secs(30);
/// How long a delivery is young.
const YOUNG: Duration = Duration::from_mins(10);
/// The shortest wait after that.
const SHORTEST_OLD: Duration = Duration::from_mins(1);
const LONGEST: Duration = Duration::from_hours(1);
/// A delivery is given up after this many attempts, or this long after the first.
const ATTEMPTS: u32 = 40;
const PATIENCE: Duration = Duration::from_hours(24);

/// When to try again after the failure of the attempt that `claim` stands for; `None` gives the delivery up.
///
/// 0.5 s doubling to 30 s for the first 10 minutes; from then on each wait is as long as all those since, which
/// doubles it, up to an hour. `chance` shortens a wait by up to a tenth, so that lanes of one runtime do not return in
/// step. A wait the runtime asked for is kept, up to an hour.
pub(crate) fn next_attempt(
    claim: &DeliveryClaim,
    asked: Option<Duration>,
    chance: u8,
    now: Timestamp,
) -> Option<Timestamp> {
    let age = now.since(claim.begun_at);
    if claim.attempt >= ATTEMPTS || age >= PATIENCE {
        return None;
    }
    let wait = match age.checked_sub(YOUNG) {
        None => FIRST.saturating_mul(1 << claim.attempt.saturating_sub(1).min(16)).min(LONGEST_YOUNG),
        Some(old) => old.clamp(SHORTEST_OLD, LONGEST),
    };
    let shortened = wait.saturating_sub(wait / 2560 * u32::from(chance));
    Some(now.after(shortened.max(asked.unwrap_or_default().min(LONGEST))))
}

#[cfg(test)]
mod unit {
    use nora_kernel::{AgentId, ChannelId, EventId};
    use uuid::Uuid;

    use super::*;

    const START: Timestamp = Timestamp::from_microseconds(1_700_000_000_000_000);

    fn claim(attempt: u32) -> DeliveryClaim {
        DeliveryClaim {
            sequence: 1,
            event: EventId::from_uuid(Uuid::nil()),
            channel: ChannelId::from_uuid(Uuid::nil()),
            agent: AgentId::from_uuid(Uuid::nil()),
            replay: false,
            fence: 1,
            attempt,
            begun_at: START,
        }
    }

    /// The waits of a runtime that never answers and takes no time about it.
    fn waits() -> Vec<Duration> {
        let mut now = START;
        let mut waits = Vec::new();
        while let Some(next) = next_attempt(&claim(u32::try_from(waits.len()).unwrap() + 1), None, 0, now) {
            waits.push(next.since(now));
            now = next;
        }
        waits
    }

    #[test]
    fn waits_double_to_half_a_minute_for_ten_minutes_and_then_to_an_hour() {
        let waits = waits();
        let first: Vec<u128> = waits.iter().take(8).map(Duration::as_millis).collect();
        assert_eq!(first, [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
        let young: Duration = waits.iter().take_while(|wait| **wait <= LONGEST_YOUNG).sum();
        assert!(young >= YOUNG && young <= YOUNG + LONGEST_YOUNG, "{young:?}");
        assert!(
            waits.iter().skip(1).zip(&waits).all(|(next, wait)| *next >= *wait && *next <= *wait * 2 + SHORTEST_OLD)
        );
        assert_eq!(waits.last(), Some(&LONGEST));
    }

    #[test]
    fn it_ends_after_forty_attempts_or_a_day() {
        assert_eq!(waits().len(), 39);
        assert_eq!(next_attempt(&claim(2), None, 0, START.after(PATIENCE)), None);
    }

    #[test]
    fn a_runtime_may_ask_for_an_hour_at_most_and_chance_only_shortens() {
        let wait = |asked, chance| next_attempt(&claim(1), asked, chance, START).unwrap().since(START);
        assert_eq!(wait(Some(Duration::from_mins(2)), 255), Duration::from_mins(2));
        assert_eq!(wait(Some(Duration::from_hours(48)), 0), LONGEST);
        assert!(wait(None, 255) < FIRST && wait(None, 255) >= FIRST * 9 / 10);
    }
}
