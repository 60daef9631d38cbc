//! When keys were last used is noted once a minute, and written once.

use std::sync::atomic::Ordering;
use std::time::Duration;

use nora_kernel::{ApiKeyId, Clock, Timestamp};

use crate::support::{Access, key_text};

const MINUTE: Duration = Duration::from_mins(1);
const ALMOST_A_MINUTE: Duration = Duration::from_micros(59_999_999);

impl Access {
    async fn uses(&self, id: u8, secret: u8) {
        let used = self.authenticator.authenticate(key_text(id, secret).reveal().expose()).await;
        assert_eq!(used.is_ok(), id == secret);
    }

    async fn written(&self) -> Vec<(ApiKeyId, Timestamp)> {
        let before = self.store.usage.lock().unwrap().len();
        self.authenticator.flush_usage().await.unwrap();
        let writes = self.store.usage.lock().unwrap().clone();
        assert!(writes.len() <= before + 1, "one write for all keys: {writes:?}");
        let mut written: Vec<_> = writes.into_iter().skip(before).flatten().collect();
        written.sort_unstable();
        written
    }
}

#[tokio::test]
async fn a_use_is_written_once() {
    let access = Access::new();
    let key = access.hold(&key_text(1, 1), |_| ());
    let first = access.clock.now();
    for _ in 0..3 {
        access.uses(1, 1).await;
        access.clock.advance(Duration::from_secs(10));
    }
    assert_eq!(access.written().await, [(key.id, first)]);
    assert_eq!(access.written().await, []);
    assert_eq!(access.store.usage.lock().unwrap().len(), 1, "the store is not asked to write nothing");
}

#[tokio::test]
async fn a_use_is_noted_at_most_once_a_minute() {
    let access = Access::new();
    let key = access.hold(&key_text(1, 1), |_| ());
    access.uses(1, 1).await;
    access.written().await;
    access.clock.advance(ALMOST_A_MINUTE);
    access.uses(1, 1).await;
    assert_eq!(access.written().await, []);
    let later = access.clock.advance(Duration::from_micros(1));
    access.uses(1, 1).await;
    assert_eq!(access.written().await, [(key.id, later)]);
}

#[tokio::test]
async fn each_key_has_its_own_minute() {
    let access = Access::new();
    let one = access.hold(&key_text(1, 1), |_| ());
    let other = access.hold(&key_text(2, 2), |_| ());
    let start = access.clock.now();
    access.uses(1, 1).await;
    let later = access.clock.advance(Duration::from_secs(30));
    access.uses(2, 2).await;
    assert_eq!(access.written().await, [(one.id, start), (other.id, later)]);
    let minute = access.clock.advance(Duration::from_secs(30));
    access.uses(1, 1).await;
    access.uses(2, 2).await;
    assert_eq!(access.written().await, [(one.id, minute)]);
}

#[tokio::test]
async fn a_refused_key_was_not_used() {
    let access = Access::new();
    access.hold(&key_text(1, 1), |_| ());
    access.uses(1, 2).await;
    access.hold(&key_text(3, 3), |key| key.expires_at = Some(key.created_at));
    let expired = access.authenticator.authenticate(key_text(3, 3).reveal().expose()).await;
    assert!(expired.is_err());
    assert_eq!(access.written().await, []);
}

#[tokio::test]
async fn a_use_is_not_lost_within_its_minute_either() {
    let access = Access::new();
    let key = access.hold(&key_text(1, 1), |_| ());
    let start = access.clock.now();
    access.uses(1, 1).await;
    access.store.down.store(true, Ordering::SeqCst);
    assert!(access.authenticator.flush_usage().await.is_err());
    access.store.down.store(false, Ordering::SeqCst);
    access.uses(1, 1).await;
    assert_eq!(access.written().await, [(key.id, start)]);
}

#[tokio::test]
async fn what_the_store_does_not_take_is_written_next_time() {
    let access = Access::new();
    let one = access.hold(&key_text(1, 1), |_| ());
    let other = access.hold(&key_text(2, 2), |_| ());
    let start = access.clock.now();
    access.uses(1, 1).await;
    access.uses(2, 2).await;
    access.clock.advance(MINUTE);
    access.store.down.store(true, Ordering::SeqCst);
    assert!(access.authenticator.flush_usage().await.is_err());
    access.store.down.store(false, Ordering::SeqCst);
    let later = access.clock.now();
    access.uses(2, 2).await;
    assert_eq!(access.written().await, [(one.id, start), (other.id, later)], "the newer time counts");
    assert_eq!(access.written().await, []);
}
