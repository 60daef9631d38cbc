//! How much a channel, and all of them together, take before anything is done for a request.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use nora_kernel::{ChannelId, Timestamp};

/// How many seconds' worth may come at once.
const BURST_SECONDS: u64 = 5;
/// How many channels' worth all channels take together.
const CHANNELS_WORTH: u64 = 10;
/// How many channels are counted at once; beyond it, those that sent nothing for a while are dropped.
const COUNTED: usize = 65_536;
const SECOND: u64 = 1_000_000_000;

/// Too much; how long to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many webhooks")]
pub struct Overrun {
    /// The wait.
    pub retry_after: Duration,
}

/// A token bucket per channel and one for all of them, each kept as the time at which it is full again.
#[derive(Debug)]
pub struct WebhookLimiter {
    /// Per second and channel; 0 is without a limit.
    rate: u32,
    buckets: Mutex<Buckets>,
}

#[derive(Debug, Default)]
struct Buckets {
    all: u64,
    /// Those of channels that are too many to be counted.
    others: u64,
    channels: HashMap<ChannelId, u64>,
}

impl WebhookLimiter {
    /// Takes `rate` a second from each channel, and five seconds' worth at once; everything if it is 0.
    pub fn new(rate: u32) -> Self {
        Self { rate, buckets: Mutex::default() }
    }

    /// Counts one request, or none if it is too many for its channel or for all of them.
    pub fn admit(&self, channel: ChannelId, now: Timestamp) -> Result<(), Overrun> {
        if self.rate == 0 {
            return Ok(());
        }
        let cost = SECOND / u64::from(self.rate);
        let now = u64::try_from(now.as_microseconds()).unwrap_or_default().saturating_mul(1000);
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let Buckets { all, others, channels } = &mut *buckets;
        if channels.len() >= COUNTED {
            channels.retain(|_, full_at| *full_at > now);
        }
        let full = channels.len() >= COUNTED && !channels.contains_key(&channel);
        let own = if full { others } else { channels.entry(channel).or_default() };
        let own_next = after(*own, now, cost)?;
        *all = after(*all, now, (cost / CHANNELS_WORTH).max(1))?;
        *own = own_next;
        Ok(())
    }
}

/// When a bucket is full again after one more request.
fn after(full_at: u64, now: u64, cost: u64) -> Result<u64, Overrun> {
    let next = full_at.max(now).saturating_add(cost);
    let excess = next.saturating_sub(now).saturating_sub(BURST_SECONDS * SECOND);
    if excess == 0 { Ok(next) } else { Err(Overrun { retry_after: Duration::from_nanos(excess) }) }
}

#[cfg(test)]
mod unit {
    use super::*;

    fn channel(number: u128) -> ChannelId {
        ChannelId::from_uuid(uuid::Uuid::from_u128(number))
    }

    fn admitted(limiter: &WebhookLimiter, channel: ChannelId, now: Timestamp) -> usize {
        (0..100_000).take_while(|_| limiter.admit(channel, now).is_ok()).count()
    }

    #[test]
    fn five_seconds_at_once_and_then_the_rate() {
        let limiter = WebhookLimiter::new(1000);
        let start = Timestamp::from_microseconds(1_700_000_000_000_000);
        assert_eq!(admitted(&limiter, channel(1), start), 5000);
        assert_eq!(limiter.admit(channel(1), start), Err(Overrun { retry_after: Duration::from_millis(1) }));
        assert_eq!(admitted(&limiter, channel(1), start.after(Duration::from_millis(250))), 250);
        assert_eq!(admitted(&limiter, channel(2), start), 5000, "each channel for itself");
    }

    #[test]
    fn all_channels_together_have_a_ceiling() {
        let limiter = WebhookLimiter::new(10);
        let start = Timestamp::from_microseconds(1_700_000_000_000_000);
        let taken: usize = (0..20).map(|number| admitted(&limiter, channel(number), start)).sum();
        assert_eq!(taken, 10 * 50);
    }

    #[test]
    fn zero_is_without_a_limit() {
        let limiter = WebhookLimiter::new(0);
        assert_eq!(admitted(&limiter, channel(1), Timestamp::from_microseconds(1)), 100_000);
    }
}
