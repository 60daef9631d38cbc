//! Where `cargo xtask test` put what scenarios need. No other file of this crate reads a variable.

use std::ffi::OsString;
use std::path::PathBuf;

/// The program `nora`, built with fail points.
pub(crate) fn nora() -> PathBuf {
    needed("NORA_TEST_BINARY").into()
}

/// The program `reference-runtime`.
pub fn reference_runtime() -> PathBuf {
    needed("NORA_TEST_REFERENCE_RUNTIME").into()
}

/// A home folder in which npm packages lie ready for `npx`.
pub fn npm_home() -> PathBuf {
    needed("NORA_TEST_NPM_HOME").into()
}

/// A Chromium.
pub(crate) fn browser() -> PathBuf {
    needed("NORA_TEST_BROWSER").into()
}

/// A Python that has `jsonschema`.
pub(crate) fn jsonschema_python() -> PathBuf {
    needed("NORA_TEST_JSONSCHEMA_PYTHON").into()
}

/// What children find programs by.
pub fn search_path() -> OsString {
    variable("PATH").unwrap_or_else(|| OsString::from("/usr/local/bin:/usr/bin:/bin"))
}

fn needed(name: &str) -> OsString {
    let Some(value) = variable(name) else { panic!("{name} is not set: run `cargo xtask test --package e2e`") };
    value
}

#[expect(clippy::disallowed_methods, reason = "the task runner configures tests by the environment alone")]
fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}
