//! What a store is opened with.

use std::sync::Arc;

use nora_kernel::Secret;
use rustls::ClientConfig;

const DEFAULT_POOL_SIZE: usize = 10;

/// Where the database is and how it is spoken to.
#[derive(Debug)]
pub struct PostgresOptions {
    /// `postgres://user:password@host:port/database?sslmode=...`.
    pub url: Secret,
    /// The trust of `sslmode=verify-full` where the URL names no `sslrootcert`.
    pub tls: Arc<ClientConfig>,
    /// The largest number of connections, not counting the one that listens and the two that keep what
    /// comes in; at least 1.
    pub pool_size: usize,
    /// The machine this runs on. Leases left by a dead process of the same machine are free at once.
    pub host: String,
}

impl PostgresOptions {
    /// Ten connections from the machine the system names.
    pub fn new(url: Secret, tls: Arc<ClientConfig>) -> Self {
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        Self { url, tls, pool_size: DEFAULT_POOL_SIZE, host }
    }
}
