//! When requests of an open loop fall due.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

/// How exactly requests are released. The async runtime's timer ticks in milliseconds, which is too coarse.
const GRAIN: Duration = Duration::from_micros(100);

/// Hands out the moments at which requests fall due.
#[derive(Clone)]
pub(crate) struct Pace {
    begun: Instant,
    per_second: u64,
    taken: Arc<AtomicU64>,
    due: Arc<Semaphore>,
}

impl Pace {
    /// Begins now, and hands out nothing that falls due after `duration`.
    pub(crate) fn start(per_second: u64, duration: Duration) -> Self {
        let begun = Instant::now();
        let pace =
            Self { begun, per_second: per_second.max(1), taken: Arc::default(), due: Arc::new(Semaphore::new(0)) };
        let released = pace.clone();
        std::thread::spawn(move || released.release(duration));
        pace
    }

    pub(crate) const fn begun(&self) -> Instant {
        self.begun
    }

    /// Waits until the next request is due and says when that was; `None` when there are no more.
    pub(crate) async fn next(&self) -> Option<Instant> {
        let number = self.taken.fetch_add(1, Ordering::Relaxed);
        self.due.acquire().await.ok()?.forget();
        Some(self.begun + self.after(number))
    }

    fn after(&self, number: u64) -> Duration {
        Duration::from_nanos(number.saturating_mul(1_000_000_000) / self.per_second)
    }

    fn release(&self, duration: Duration) {
        let mut released = 0;
        loop {
            let now = self.begun.elapsed().min(duration);
            let before = released;
            while self.after(released) < now {
                released += 1;
            }
            self.due.add_permits(usize::try_from(released - before).unwrap_or_default());
            if now == duration {
                break;
            }
            std::thread::sleep(GRAIN);
        }
        // Those that are due and not taken yet are taken first: whoever waits then is told that there are no more.
        while self.due.available_permits() > 0 {
            std::thread::sleep(GRAIN);
        }
        self.due.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_request_has_a_moment_of_its_own() {
        let pace = Pace::start(1_000, Duration::from_millis(50));
        let mut due = Vec::new();
        while let Some(moment) = pace.next().await {
            due.push(moment - pace.begun());
        }
        let expected = (0..50).map(Duration::from_millis);
        assert_eq!(due, expected.collect::<Vec<_>>());
    }
}
