//! Small loops: last uses of keys, revocations from elsewhere, expired answers.

use std::sync::Arc;
use std::time::Duration;

use nora_access::Authenticator;
use nora_access::ports::{IdempotencyStore, KeyStore};
use nora_kernel::Clock;
use nora_webhooks::ports::{DeliveryStore, EventStore};

use crate::error::cause;
use crate::metrics::DeliveryMetrics;
use crate::workers::Stop;

const FLUSH_EVERY: Duration = Duration::from_secs(15);
const MEASURE_EVERY: Duration = Duration::from_secs(5);
const PRUNE_EVERY: Duration = Duration::from_mins(5);
const PRUNED_AT_ONCE: u32 = 500;

/// Writes down when keys were last used, and once more when told to stop.
pub(crate) async fn flush_usage(authenticator: Arc<Authenticator>, stop: Stop) {
    loop {
        let last = stop.is_set();
        if let Err(error) = authenticator.flush_usage().await {
            tracing::warn!(error = cause(&error), "last uses of keys were not recorded");
        }
        if last {
            return;
        }
        stop.or_sleep(FLUSH_EVERY).await;
    }
}

/// Drops keys that were revoked, here or on another server, from the memory of verified ones.
pub(crate) async fn follow_revocations(keys: Arc<dyn KeyStore>, authenticator: Arc<Authenticator>, stop: Stop) {
    loop {
        tokio::select! {
            revoked = keys.revocation() => authenticator.forget(revoked),
            () = stop.set() => return,
        }
    }
}

/// Deletes remembered answers that have expired, in small batches.
pub(crate) async fn prune(answers: Arc<dyn IdempotencyStore>, clock: Arc<dyn Clock>, stop: Stop) {
    while !stop.is_set() {
        match answers.prune(clock.now(), PRUNED_AT_ONCE).await {
            Ok(deleted) if deleted >= u64::from(PRUNED_AT_ONCE) => continue,
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(error = cause(&error), "expired answers were not deleted");
            }
        }
        stop.or_sleep(PRUNE_EVERY).await;
    }
}

/// Deletes webhook events that were received longer ago than they are kept, in small batches.
pub(crate) async fn prune_events(events: Arc<dyn EventStore>, kept: Duration, clock: Arc<dyn Clock>, stop: Stop) {
    while !stop.is_set() {
        match events.prune(clock.now().before(kept), PRUNED_AT_ONCE).await {
            Ok(deleted) if deleted >= u64::from(PRUNED_AT_ONCE) => continue,
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(error = cause(&error), "old webhook events were not deleted");
            }
        }
        stop.or_sleep(PRUNE_EVERY).await;
    }
}

/// Measures from time to time how far the delivery of webhook events is behind.
pub(crate) async fn measure_backlog(
    deliveries: Arc<dyn DeliveryStore>,
    metrics: DeliveryMetrics,
    clock: Arc<dyn Clock>,
    stop: Stop,
) {
    while !stop.is_set() {
        match deliveries.backlog().await {
            Ok(backlog) => metrics.behind(backlog, clock.now()),
            Err(error) => tracing::warn!(error = cause(&error), "the backlog of deliveries was not measured"),
        }
        stop.or_sleep(MEASURE_EVERY).await;
    }
}
