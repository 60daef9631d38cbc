//! `cargo xtask codegen`: files that the code itself describes.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::Verdict;
use crate::cli::CodegenArguments;
use crate::process;
use crate::workspace::Workspace;

const OPENAPI: &str = "docs/openapi.json";

pub(crate) fn run(arguments: &CodegenArguments) -> Result<Verdict> {
    let workspace = Workspace::load()?;
    if arguments.check {
        check(workspace.root())?;
        println!("{OPENAPI} is up to date");
    } else {
        write(workspace.root())?;
    }
    Ok(Verdict::Passed)
}

/// Fails if a generated file differs from what the code describes.
pub(crate) fn check(root: &Path) -> Result<()> {
    if fs::read(root.join(OPENAPI)).unwrap_or_default() != openapi(root)? {
        bail!("{OPENAPI} is out of date: run `cargo xtask codegen`");
    }
    Ok(())
}

fn write(root: &Path) -> Result<()> {
    let document = openapi(root)?;
    fs::write(root.join(OPENAPI), document).with_context(|| format!("cannot write {OPENAPI}"))?;
    println!("{OPENAPI} written");
    Ok(())
}

fn openapi(root: &Path) -> Result<Vec<u8>> {
    let arguments = ["run", "--quiet", "--package", "nora-server", "--bin", "nora", "--", "openapi"];
    let mut document = process::read(&mut process::cargo(root, arguments))?;
    if document.trim_ascii().is_empty() {
        bail!("`nora openapi` printed nothing");
    }
    document.truncate(document.trim_ascii_end().len());
    document.push(b'\n');
    Ok(document)
}
