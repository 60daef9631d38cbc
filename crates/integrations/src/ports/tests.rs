//! Where connection tests get their I/O.

use nora_provider_sdk::Context;

/// Gives each connection test a context of its own, with its own deadline and caps.
pub trait TestContexts: Send + Sync {
    /// A fresh context for one test.
    fn open(&self) -> Box<dyn Context>;
}
