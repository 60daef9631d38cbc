//! What the environment says. No other file of this crate reads a variable.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

/// Whether this is a pipeline rather than somebody's terminal.
pub(crate) fn on_ci() -> bool {
    variable("CI").is_some_and(|value| value != "false" && value != "0")
}

/// The cargo that runs this task.
pub(crate) fn cargo() -> OsString {
    variable("CARGO").unwrap_or_else(|| OsString::from("cargo"))
}

/// The folders in which programs are looked for.
pub(crate) fn search_path() -> Vec<PathBuf> {
    variable("PATH").map(|path| env::split_paths(&path).collect()).unwrap_or_default()
}

/// The program called `name` that comes first in `search_path`.
pub(crate) fn program(search_path: &[PathBuf], name: &str) -> Option<PathBuf> {
    search_path.iter().map(|folder| folder.join(name)).find(|program| program.is_file())
}

/// What `cargo run` sets for this process and cargo's children must not inherit: build scripts that watch these
/// variables would run again each time a build alternates between here and a shell.
pub(crate) fn set_by_cargo_run() -> Vec<OsString> {
    all_names()
        .into_iter()
        .filter(|name| {
            let name = name.to_string_lossy();
            name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") || name.starts_with("CARGO_BIN_")
        })
        .collect()
}

#[expect(clippy::disallowed_methods, reason = "a task runner is configured by the environment alone")]
fn variable(name: &str) -> Option<OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}

#[expect(clippy::disallowed_methods, reason = "a task runner is configured by the environment alone")]
fn all_names() -> Vec<OsString> {
    env::vars_os().map(|(name, _)| name).collect()
}
