//! `cargo xtask providers`: every provider and how it is tested.

use std::fs;
use std::path::Path;

use anyhow::{Result, bail};

use crate::Verdict;
use crate::cli::ProvidersArguments;
use crate::codegen::printed_by_nora;
use crate::workspace::Workspace;

const PAGE: &str = "docs/providers.md";

const HEAD: &str = "# Providers\n\nWritten by `cargo xtask codegen` from the manifests. A test that says `request` asks \
the service something only a valid\ncredential gets; `code` does so in the provider's own protocol; `unverifiable` \
sends nothing, because every call would do\nsomething.\n\n";

pub(crate) fn run(arguments: &ProvidersArguments) -> Result<Verdict> {
    let workspace = Workspace::load()?;
    let page = page(workspace.root())?;
    if arguments.check {
        if fs::read(workspace.root().join(PAGE)).unwrap_or_default() != page {
            bail!("{PAGE} is out of date: run `cargo xtask codegen`");
        }
        println!("{PAGE} is up to date");
    } else {
        print!("{}", String::from_utf8_lossy(&page));
    }
    Ok(Verdict::Passed)
}

/// The page as it should be.
pub(crate) fn page(root: &Path) -> Result<Vec<u8>> {
    let table = printed_by_nora(root, &["catalog", "list", "--markdown"])?;
    Ok([HEAD.as_bytes(), &table].concat())
}
