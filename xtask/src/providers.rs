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

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    /// What the kit is there for: a provider in code is short. The average is one over providers, not crates.
    const AVERAGE: usize = 150;

    fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
        let nested = |path: PathBuf| if path.is_dir() { files(&path, extension) } else { vec![path] };
        entries.flat_map(nested).filter(|path| path.extension().is_some_and(|found| found == extension)).collect()
    }

    /// Lines that are neither empty, nor a comment, nor a test's.
    fn lines_of_code(text: &str) -> usize {
        let product = text.split("#[cfg(test)]").next().unwrap_or_default();
        product.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//")).count()
    }

    #[test]
    fn a_provider_in_code_is_short() {
        let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates");
        let folders = fs::read_dir(crates).unwrap().map(|entry| entry.unwrap().path());
        let of_providers = |path: &PathBuf| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            name.starts_with("provider-") && !["provider-sdk", "provider-testkit"].contains(&name.as_str())
        };
        let (mut lines, mut providers) = (0, 0);
        for folder in folders.filter(of_providers) {
            let read = |path: PathBuf| fs::read_to_string(path).unwrap();
            lines += files(&folder.join("src"), "rs").into_iter().map(|path| lines_of_code(&read(path))).sum::<usize>();
            providers +=
                files(&folder, "toml").into_iter().filter(|path| read(path.clone()).contains("code = true")).count();
        }
        assert!(providers >= 13, "{providers} providers were found");
        assert!(lines < AVERAGE * providers, "{lines} lines for {providers} providers in code");
    }
}
