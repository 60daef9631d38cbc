//! Small loops: last uses of keys, revocations from elsewhere, and what is not kept any longer.

use std::sync::Arc;
use std::time::Duration;

use nora_access::Authenticator;
use nora_access::ports::{AuditStore, IdempotencyStore, KeyStore};
use nora_kernel::{Clock, Unavailable};
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
pub(crate) async fn prune_answers(answers: Arc<dyn IdempotencyStore>, clock: Arc<dyn Clock>, stop: Stop) {
    while !stop.is_set() {
        let pruned = answers.prune(clock.now(), PRUNED_AT_ONCE).await;
        pause_unless_full(pruned, "expired answers", &stop).await;
    }
}

/// Deletes webhook events that were received longer ago than they are kept, in small batches.
pub(crate) async fn prune_events(events: Arc<dyn EventStore>, kept: Duration, clock: Arc<dyn Clock>, stop: Stop) {
    while !stop.is_set() {
        let pruned = events.prune(clock.now().before(kept), PRUNED_AT_ONCE).await;
        pause_unless_full(pruned, "old webhook events", &stop).await;
    }
}

/// Deletes audit lines that are older than they are kept, in small batches.
pub(crate) async fn prune_audit(lines: Arc<dyn AuditStore>, kept: Duration, clock: Arc<dyn Clock>, stop: Stop) {
    while !stop.is_set() {
        let pruned = lines.prune(clock.now().before(kept), PRUNED_AT_ONCE).await;
        pause_unless_full(pruned, "old audit lines", &stop).await;
    }
}

/// Goes on at once after a full batch: there may be more.
async fn pause_unless_full(pruned: Result<u64, Unavailable>, what: &str, stop: &Stop) {
    match pruned {
        Ok(pruned) if pruned >= u64::from(PRUNED_AT_ONCE) => return,
        Ok(_) => {}
        Err(error) => tracing::warn!(error = cause(&error), "{what} were not deleted"),
    }
    stop.or_sleep(PRUNE_EVERY).await;
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
