//! `cargo xtask codegen`: files that the code itself describes.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::Verdict;
use crate::cli::CodegenArguments;
use crate::process;
use crate::providers;
use crate::workspace::Workspace;

const OPENAPI: &str = "docs/openapi.json";
const PROVIDERS: &str = "docs/providers.md";

pub(crate) fn run(arguments: &CodegenArguments) -> Result<Verdict> {
    let workspace = Workspace::load()?;
    if arguments.check {
        check(workspace.root())?;
        println!("{OPENAPI} and {PROVIDERS} are up to date");
    } else {
        write(workspace.root())?;
    }
    Ok(Verdict::Passed)
}

/// Fails if a generated file differs from what the code describes.
pub(crate) fn check(root: &Path) -> Result<()> {
    for (file, content) in [(OPENAPI, openapi(root)?), (PROVIDERS, providers::page(root)?)] {
        if fs::read(root.join(file)).unwrap_or_default() != content {
            bail!("{file} is out of date: run `cargo xtask codegen`");
        }
    }
    Ok(())
}

fn write(root: &Path) -> Result<()> {
    for (file, content) in [(OPENAPI, openapi(root)?), (PROVIDERS, providers::page(root)?)] {
        fs::write(root.join(file), content).with_context(|| format!("cannot write {file}"))?;
        println!("{file} written");
    }
    Ok(())
}

fn openapi(root: &Path) -> Result<Vec<u8>> {
    printed_by_nora(root, &["openapi"])
}

/// What a command of the binary prints, with one line break at its end.
pub(crate) fn printed_by_nora(root: &Path, command: &[&str]) -> Result<Vec<u8>> {
    let run = ["run", "--quiet", "--package", "nora-server", "--bin", "nora", "--"];
    let mut printed = process::read(&mut process::cargo(root, run.iter().chain(command)))?;
    if printed.trim_ascii().is_empty() {
        bail!("`nora {}` printed nothing", command.join(" "));
    }
    printed.truncate(printed.trim_ascii_end().len());
    printed.push(b'\n');
    Ok(printed)
}
