//! The loop that shows what runtimes have not confirmed.

use std::sync::Arc;
use std::time::Duration;

use nora_integrations::ports::SyncStore;
use nora_kernel::Clock;

use crate::error::cause;
use crate::metrics::UnconfirmedMetrics;
use crate::workers::Stop;

const LOOK_EVERY: Duration = Duration::from_secs(15);

/// Looks from time to time, and not when it is asked for: a scrape costs no query.
pub(crate) async fn show_unconfirmed(
    store: Arc<dyn SyncStore>,
    clock: Arc<dyn Clock>,
    metrics: UnconfirmedMetrics,
    stop: Stop,
) {
    while !stop.is_set() {
        match store.unconfirmed().await {
            Ok(unconfirmed) => metrics.show(&unconfirmed, clock.now()),
            Err(error) => tracing::warn!(error = cause(&error), "what runtimes have not confirmed was not read"),
        }
        stop.or_sleep(LOOK_EVERY).await;
    }
}
