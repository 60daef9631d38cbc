//! Time and ids from the system.

use nora_kernel::{Clock, IdSource, Timestamp};
use uuid::Uuid;

/// The system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one adapter behind the Clock port")]
    fn now(&self) -> Timestamp {
        let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_microseconds(i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX))
    }
}

/// UUIDs of version 7 from the system's clock and generator.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct UuidSource;

impl IdSource for UuidSource {
    #[expect(clippy::disallowed_methods, reason = "this is the one adapter behind the IdSource port")]
    fn next(&self) -> Uuid {
        Uuid::now_v7()
    }
}
