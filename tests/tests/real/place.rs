//! Where the task runner installed the runtimes. No other file of this target reads a variable.

use std::net::IpAddr;
use std::path::PathBuf;

#[expect(clippy::disallowed_methods, reason = "the task runner configures tests by the environment alone")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn needed(name: &str) -> String {
    variable(name).unwrap_or_else(|| panic!("{name} is not set: run `cargo xtask test --real-runtimes`"))
}

/// The program `node`.
pub(crate) fn node() -> PathBuf {
    needed("NORA_REAL_NODE").into()
}

/// The folder of the installed package `openclaw`.
pub(crate) fn openclaw() -> PathBuf {
    needed("NORA_REAL_OPENCLAW").into()
}

/// The program `hermes`.
pub(crate) fn hermes() -> PathBuf {
    needed("NORA_REAL_HERMES").into()
}

/// An address of this machine that gateways take for another machine's, where there is one.
pub(crate) fn remote() -> Option<IpAddr> {
    variable("NORA_REAL_REMOTE").map(|address| address.parse().unwrap())
}
