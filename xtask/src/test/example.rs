//! The example of a team's own providers, built and tested as that team would: from outside the workspace.

use std::fs;

use anyhow::{Context, Result};

use super::selection::Selection;
use super::{doc_tests, summary::Outcome};
use crate::process;
use crate::workspace::Workspace;

const FOLDER: &str = "examples/acme-provider";

/// Runs its tests and its server's `catalog list`; `None` if single packages were selected.
///
/// It gets the workspace's lock file and target folder, so that it is built with what was tested here and little is
/// compiled twice.
pub(super) fn run(workspace: &Workspace, selection: &Selection) -> Result<Option<Outcome>> {
    if *selection != Selection::Everything {
        return Ok(None);
    }
    let folder = workspace.root().join(FOLDER);
    fs::copy(workspace.root().join("Cargo.lock"), folder.join("Cargo.lock")).context("no lock file to copy")?;
    let target = workspace.target();
    let cargo = |arguments: &[&str]| {
        let mut command = process::cargo(&folder, arguments);
        command.env("CARGO_TARGET_DIR", target);
        command
    };
    let mut counts = None;
    let tested = process::run_watching_output(&mut cargo(&["test", "--no-fail-fast"]), |line| {
        doc_tests::add(&mut counts, line);
    })?;
    let listed = process::read(&mut cargo(&["run", "--quiet", "--", "catalog", "list"]))?;
    let listed = String::from_utf8_lossy(&listed).contains("acme-vault");
    Ok(Some(Outcome { succeeded: tested && listed, counts }))
}
