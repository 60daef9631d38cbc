//! Cargo subcommands that do not come with cargo.

use std::path::Path;

use anyhow::{Result, bail};

use crate::process;

/// Installs `cargo NAME` unless it is there.
pub(crate) fn require(root: &Path, name: &str) -> Result<()> {
    if process::uninterrupted(&mut process::cargo(root, [name, "--version"]))?.status.success() {
        return Ok(());
    }
    let package = format!("cargo-{name}");
    println!("{package} is missing: installing it");
    if !process::run(&mut process::cargo(root, ["install", "--locked", &package]))? {
        bail!("cannot install {package}: install it by hand and run this again");
    }
    Ok(())
}
