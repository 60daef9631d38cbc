//! What the documents name in backticks exists.
//!
//! Looked at are README.md, docs/ and the READMEs of the crates. What counts as a name is decided in `claims`, from its
//! form alone; whether it exists, in `known`. A name that only looks like one of ours goes into [`NOT_OURS`].

mod claims;
mod known;
mod markdown;
mod server_commands;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::workspace::{self, Workspace};
use known::Known;

/// What has the form of something in this repository and is something else.
const NOT_OURS: [&str; 1] = [
    // The folder the server makes for its embedded store.
    "nora-data",
];

pub(super) fn violations(workspace: &Workspace) -> Result<Vec<String>> {
    let known = Known::load(workspace)?;
    let mut violations = Vec::new();
    for path in documents(workspace)? {
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let shown = path.strip_prefix(workspace.root()).unwrap_or(&path).display();
        let found = of_document(&known, path.parent().unwrap_or(workspace.root()), &text);
        violations.extend(found.into_iter().map(|(line, complaint)| format!("{shown}:{line}: {complaint}")));
    }
    Ok(violations)
}

/// Each complaint with its line.
fn of_document(known: &Known, folder: &Path, text: &str) -> Vec<(usize, String)> {
    let mut complaints = Vec::new();
    for span in markdown::spans(text) {
        for claim in claims::of(&span) {
            if !NOT_OURS.contains(&claim.name()) {
                complaints.extend(known.objection(&claim, folder).map(|complaint| (span.line, complaint)));
            }
        }
    }
    complaints
}

fn documents(workspace: &Workspace) -> Result<Vec<PathBuf>> {
    let mut documents = vec![workspace.root().join("README.md")];
    let readmes = workspace.packages().iter().map(|package| workspace::folder(package).join("README.md"));
    // A crate without one is the manifests' rule to find.
    documents.extend(readmes.filter(|path| path.exists()));
    add_markdown(&workspace.root().join("docs"), &mut documents)?;
    Ok(documents)
}

fn add_markdown(folder: &Path, documents: &mut Vec<PathBuf>) -> Result<()> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in entries {
        let path = entry.with_context(|| format!("cannot read {}", folder.display()))?.path();
        if path.is_dir() {
            add_markdown(&path, documents)?;
        } else if path.extension().is_some_and(|extension| extension == "md") {
            documents.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_checked_line_by_line() {
        let workspace = Workspace::load().unwrap();
        let known = Known::load(&workspace).unwrap();
        let text = "The `xtask` folder holds `xtask/src/main.rs`.\n\nRun `cargo xtask lint`, not `cargo xtask tidy`.\n\n\
                    See `xtask/src/gone.rs`, and `nora-data` for the data.\n";
        let complaints = of_document(&known, workspace.root(), text);
        let lines: Vec<_> = complaints.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [3, 5], "{complaints:#?}");
    }

    #[test]
    fn documents_in_folders_of_docs_are_found() {
        let temporary = tempfile::tempdir().unwrap();
        fs::create_dir(temporary.path().join("guides")).unwrap();
        for name in ["a.md", "guides/b.md", "c.json"] {
            fs::write(temporary.path().join(name), "").unwrap();
        }
        let mut documents = Vec::new();
        add_markdown(temporary.path(), &mut documents).unwrap();
        documents.sort();
        assert_eq!(documents, ["a.md", "guides/b.md"].map(|name| temporary.path().join(name)));
    }
}
