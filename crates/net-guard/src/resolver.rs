//! The names of the world.

use std::io;
use std::net::IpAddr;

use async_trait::async_trait;

/// Looks names up.
///
/// The guard asks once per connection and connects to nothing but the answers it got.
#[async_trait]
pub trait Resolver: Send + Sync {
    /// Every address of `name` (lower-case ASCII, no trailing dot), of both families.
    ///
    /// # Errors
    ///
    /// The name does not resolve, or nobody could be asked. The text of the error is shown to nobody.
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>>;
}

/// The operating system's resolver.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

#[async_trait]
impl Resolver for SystemResolver {
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((name, 0)).await?.map(|address| address.ip()).collect())
    }
}
