//! Checks that are somebody else's program.

use std::process::Command;

use anyhow::{Result, bail};

use crate::workspace::Workspace;
use crate::{process, tools};

pub(super) fn formatting(workspace: &Workspace) -> Result<()> {
    require_success(&mut cargo(workspace, &["fmt", "--all", "--check"]), "run `cargo fmt --all`")
}

pub(super) fn clippy(workspace: &Workspace) -> Result<()> {
    let arguments =
        ["clippy", "--workspace", "--all-targets", "--all-features", "--keep-going", "--", "-D", "warnings"];
    require_success(&mut cargo(workspace, &arguments), "clippy has objections")
}

pub(super) fn dependencies(workspace: &Workspace) -> Result<()> {
    tools::require(workspace.root(), "deny")?;
    // Builds fetch what one platform needs; the check reads the packages of all.
    require_success(&mut cargo(workspace, &["fetch"]), "cannot fetch the dependencies")?;
    let check = ["deny", "--offline", "check", "--hide-inclusion-graph", "bans", "licenses", "sources"];
    require_success(&mut cargo(workspace, &check), "deny.toml forbids a dependency")
}

pub(super) fn api_documentation(workspace: &Workspace) -> Result<()> {
    let mut command = cargo(workspace, &["doc", "--workspace", "--no-deps"]);
    require_success(command.env("RUSTDOCFLAGS", "-D warnings"), "rustdoc has objections")
}

fn cargo(workspace: &Workspace, arguments: &[&str]) -> Command {
    process::cargo(workspace.root(), arguments)
}

fn require_success(command: &mut Command, otherwise: &str) -> Result<()> {
    if process::run(command)? { Ok(()) } else { bail!("{otherwise}") }
}
