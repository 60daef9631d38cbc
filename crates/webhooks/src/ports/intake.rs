//! How one event gets into the inbox.

use async_trait::async_trait;
use nora_kernel::Unavailable;

use super::{Appended, NewEvent};

/// Why nobody can say that an event is kept.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// More comes in than can be kept. Nothing was written.
    #[error("the inbox is full")]
    Busy,
    /// The inbox could not answer in time. The event may be kept.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Puts events into the inbox, together with those of requests at the same time.
#[async_trait]
pub trait Intake: Send + Sync {
    /// Keeps one event; it is on disk when this returns.
    ///
    /// It waits for a bounded time, and holds a bounded number of events while the inbox is slow; beyond that it
    /// refuses at once.
    async fn keep(&self, event: NewEvent) -> Result<Appended, IntakeError>;
}
