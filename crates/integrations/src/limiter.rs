//! How often connections may be tested: a test reaches out on a caller's behalf, so it must not become a scanner.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use nora_kernel::Timestamp;

const WINDOW: Duration = Duration::from_mins(1);
const PER_WINDOW: u32 = 60;
/// How many names are counted at once; beyond it, windows that have ended are dropped.
const COUNTED: usize = 4_096;

/// Too many tests; how long to wait for the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("at most 60 connection tests a minute for one key or one host")]
pub struct Limited {
    /// The wait.
    pub retry_after: Duration,
}

/// Counts tests in windows of a minute, by name.
#[derive(Debug, Default)]
pub struct TestLimiter {
    windows: Mutex<HashMap<String, Window>>,
}

#[derive(Debug, Clone, Copy)]
struct Window {
    from: Timestamp,
    count: u32,
}

impl TestLimiter {
    /// Counts one test under every name, or none of them if one is exhausted.
    pub fn admit(&self, names: &[&str], now: Timestamp) -> Result<(), Limited> {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        if windows.len() > COUNTED {
            windows.retain(|_, window| now.since(window.from) < WINDOW);
        }
        for name in names {
            if let Some(window) = windows.get(*name).filter(|window| window.is_full(now)) {
                return Err(Limited { retry_after: WINDOW.saturating_sub(now.since(window.from)) });
            }
        }
        for name in names {
            let window = windows.entry((*name).to_owned()).or_insert(Window { from: now, count: 0 });
            if now.since(window.from) >= WINDOW {
                *window = Window { from: now, count: 0 };
            }
            window.count += 1;
        }
        Ok(())
    }
}

impl Window {
    fn is_full(&self, now: Timestamp) -> bool {
        now.since(self.from) < WINDOW && self.count >= PER_WINDOW
    }
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn sixty_a_minute_and_each_name_for_itself() {
        let limiter = TestLimiter::default();
        let start = Timestamp::from_microseconds(1_000_000);
        for _ in 0..60 {
            assert_eq!(limiter.admit(&["key", "host"], start), Ok(()));
        }
        let later = start.after(Duration::from_secs(20));
        assert_eq!(limiter.admit(&["other", "host"], later), Err(Limited { retry_after: Duration::from_secs(40) }));
        assert_eq!(limiter.admit(&["other", "elsewhere"], later), Ok(()), "a refusal counts for nobody");
        assert_eq!(limiter.admit(&["key", "host"], start.after(WINDOW)), Ok(()));
    }
}
