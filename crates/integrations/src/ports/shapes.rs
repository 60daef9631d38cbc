//! Where it is remembered what providers looked like.

use std::collections::BTreeMap;

use async_trait::async_trait;
use nora_kernel::{ProviderId, Timestamp, Unavailable};

/// For each provider, a digest that differs where the same connection would be pushed differently.
pub type Shapes = BTreeMap<ProviderId, String>;

/// Remembers what providers looked like when a server last started.
#[async_trait]
pub trait ShapeStore: Send + Sync {
    /// Remembers these shapes in place of those before, and raises the desired generation of every live target whose
    /// agent has an integration with a provider that is new, gone or of another shape; in one transaction.
    ///
    /// What is raised is due at `now`. Returns how many targets that were.
    async fn adopt(&self, shapes: &Shapes, now: Timestamp) -> Result<u64, Unavailable>;
}
