//! What a runtime is started with.

use std::ffi::OsString;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use nora_kernel::Secret;

/// What a runtime is started with.
#[derive(Debug)]
pub struct Config {
    /// Where it listens; port 0 takes any free one.
    pub listen: SocketAddr,
    /// The bearer token it demands.
    pub token: Secret,
    /// Where the last push is kept over a restart; nowhere if `None`. The file holds the agent's credentials.
    pub state_file: Option<PathBuf>,
    /// How many events are kept, and how far back a repeated one is recognised.
    pub events_kept: usize,
    /// The `PATH` of what it starts.
    pub path: Option<OsString>,
    /// The `HOME` of what it starts.
    pub home: Option<OsString>,
}

impl Config {
    /// A runtime on any free port of this machine, which keeps nothing over a restart.
    pub fn on_loopback(token: Secret) -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            token,
            state_file: None,
            events_kept: 1000,
            path: surrounding("PATH"),
            home: surrounding("HOME"),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "children get the PATH and HOME of this process, which are no settings")]
fn surrounding(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}
