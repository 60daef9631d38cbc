//! Every limit of the HTTP edge in one place.

use std::time::Duration;

/// What a request may cost before it is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The longest request target (path and query), in bytes; beyond it 414.
    pub target: usize,
    /// The most bytes of header names and values together; beyond it 431.
    pub headers: usize,
    /// The longest body, in bytes; beyond it 413.
    pub body: usize,
    /// How long a whole body may take to arrive; beyond it 408.
    pub body_deadline: Duration,
    /// How deep arrays and objects of a body may be nested; beyond it 400.
    pub json_depth: usize,
    /// The most bytes of webhooks that are held at once while they are read and kept; beyond it 503.
    pub webhook_memory: usize,
    /// How long a webhook waits for a store that does not answer; beyond it 503.
    pub webhook_patience: Duration,
    /// How long one readiness check may take before it counts as failed.
    pub readiness_deadline: Duration,
}

/// The limits of the product.
pub const LIMITS: Limits = Limits {
    target: 8 * 1024,
    headers: 16 * 1024,
    body: 256 * 1024,
    body_deadline: Duration::from_secs(10),
    json_depth: 64,
    webhook_memory: 64 * 1024 * 1024,
    webhook_patience: Duration::from_secs(8),
    readiness_deadline: Duration::from_secs(1),
};

/// How long a connection may take to send the head of a request.
pub(crate) const HEAD_DEADLINE: Duration = Duration::from_secs(5);
/// How long an idle connection is kept.
pub(crate) const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// How long the rest of a refused body is read and dropped, so that the client sees the answer before the connection
/// closes.
pub(crate) const LINGER: Duration = Duration::from_secs(2);
/// How long a drain waits for requests under way, in seconds.
pub(crate) const DRAIN_SECONDS: u64 = 8;
