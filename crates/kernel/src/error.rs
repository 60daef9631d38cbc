//! The one failure every port can have.

/// An error of any kind, kept as a cause for the log.
pub type BoxError = Box<dyn std::error::Error + Send + Sync + 'static>;

/// Something this process depends on (a database, a key service) could not answer.
///
/// The adapter's own error is the source. It is for the log alone and never reaches a client.
#[derive(Debug, thiserror::Error)]
#[error("a dependency is unavailable")]
pub struct Unavailable {
    #[source]
    source: BoxError,
    retryable: bool,
}

impl Unavailable {
    /// The same call may succeed later: a lost connection, a full pool, a timeout.
    pub fn transient(source: impl Into<BoxError>) -> Self {
        Self { source: source.into(), retryable: true }
    }

    /// Trying again will not help: a row that does not parse, a broken invariant.
    pub fn fault(source: impl Into<BoxError>) -> Self {
        Self { source: source.into(), retryable: false }
    }

    /// Whether the same call may succeed later.
    pub fn is_retryable(&self) -> bool {
        self.retryable
    }
}
