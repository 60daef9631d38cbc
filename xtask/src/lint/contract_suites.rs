//! Every case of a contract suite is in its macro; one that is not would never run.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

const SUITES: &str = "crates/testkit/src/contract";

pub(super) fn violations(root: &Path) -> Result<Vec<String>> {
    let entries = fs::read_dir(root.join(SUITES)).with_context(|| format!("cannot read {SUITES}"))?;
    let mut violations = Vec::new();
    for entry in entries {
        let path = entry.with_context(|| format!("cannot read {SUITES}"))?.path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            let source = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
            let name = path.file_name().unwrap_or_default().display();
            violations.extend(unlisted(&source).iter().map(|case| format!("{SUITES}/{name}: {case} is in no macro")));
        }
    }
    violations.sort();
    Ok(violations)
}

/// The cases in `source` that no macro after them names. Rustfmt has seen to the form of their first lines.
fn unlisted(source: &str) -> Vec<&str> {
    let macros = source.find("macro_rules!").and_then(|start| source.get(start..)).unwrap_or_default();
    let listed: Vec<&str> = words(macros).collect();
    source
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix("pub async fn "))
        .filter_map(|signature| words(signature).next())
        .filter(|case| !listed.contains(case))
        .collect()
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|character: char| !character.is_alphanumeric() && character != '_').filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUITE: &str = "
pub async fn removes_once(store: &dyn Store) {}
pub async fn removes<S: Store>(store: &S) {}
async fn helper() {}

#[macro_export]
macro_rules! store_contract {
    ($fixture:expr) => {
        $crate::contract_cases! { $fixture => store: removes_once, LISTED }
    };
}
";

    #[test]
    fn a_case_outside_the_macro_is_found() {
        assert_eq!(unlisted(SUITE), ["removes"]);
    }

    #[test]
    fn a_complete_macro_is_accepted() {
        assert!(unlisted(&SUITE.replace("LISTED", "removes")).is_empty());
    }

    #[test]
    fn a_suite_without_a_macro_runs_nothing() {
        assert_eq!(unlisted("pub async fn never_runs() {}"), ["never_runs"]);
    }

    #[test]
    fn a_folder_without_suites_is_an_error() {
        let root = tempfile::tempdir().unwrap();
        assert!(violations(root.path()).unwrap_err().to_string().contains(SUITES));
    }

    #[test]
    fn the_violation_names_file_and_case() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join(SUITES);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("store.rs"), SUITE).unwrap();
        fs::write(folder.join("notes.txt"), "pub async fn not_rust() {}").unwrap();
        let expected = ["crates/testkit/src/contract/store.rs: removes is in no macro"];
        assert_eq!(violations(root.path()).unwrap(), expected);
    }
}
