//! The programs that end-to-end tests start: built first, and copied to where no later build replaces them.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use cargo_metadata::Package;

use super::selection::Selection;
use crate::process;
use crate::services::Variable;
use crate::workspace::Workspace;

/// The package whose tests start them.
const END_TO_END: &str = "e2e";

/// Ways to make the server fail at a chosen point, compiled in for tests only.
const FAIL_POINTS: &str = "fail-points";

struct Program {
    package: &'static str,
    name: &'static str,
    /// By which tests find it.
    variable: &'static str,
}

const PROGRAMS: [Program; 2] = [
    Program { package: "nora-server", name: "nora", variable: "NORA_TEST_BINARY" },
    Program { package: "nora-reference-runtime", name: "reference-runtime", variable: "NORA_TEST_REFERENCE_RUNTIME" },
];

/// Builds what `selection` needs; `None` if that failed.
///
/// A run of everything builds all test targets here as well, with the features its tests will be built with, so that
/// cargo compiles each dependency once.
pub(super) fn build(workspace: &Workspace, selection: &Selection) -> Result<Option<Vec<Variable>>> {
    let present: Vec<_> = PROGRAMS.iter().filter(|program| workspace.package(program.package).is_some()).collect();
    if !selection.includes(END_TO_END) || present.is_empty() {
        return Ok(Some(Vec::new()));
    }
    let mut arguments = vec!["build".to_owned(), "--bins".to_owned()];
    match selection {
        Selection::Everything => arguments.extend(["--workspace".to_owned(), "--tests".to_owned()]),
        Selection::Packages(_) => {
            arguments.extend(present.iter().flat_map(|program| ["--package".to_owned(), program.package.to_owned()]));
        }
    }
    arguments.extend(features(workspace));
    if !process::run(&mut process::cargo(workspace.root(), arguments))? {
        return Ok(None);
    }
    present.into_iter().map(|program| copy(workspace, program)).collect::<Result<_>>().map(Some)
}

/// The features the programs are built with, for cargo's command line.
pub(super) fn features(workspace: &Workspace) -> Vec<String> {
    let declares = |package: &&Package| package.features.contains_key(FAIL_POINTS);
    let server = workspace.package("nora-server").filter(declares);
    server.map(|server| format!("--features={}/{FAIL_POINTS}", server.name)).into_iter().collect()
}

fn copy(workspace: &Workspace, program: &Program) -> Result<Variable> {
    let folder = workspace.scratch().join("bin");
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let built = workspace.target().join("debug").join(program.name);
    let copied = folder.join(program.name);
    replace(&built, &copied).with_context(|| format!("cannot copy {}", built.display()))?;
    Ok((program.variable, copied.display().to_string()))
}

/// Through a new file, because a program that still runs cannot be written to.
fn replace(from: &Path, to: &Path) -> std::io::Result<()> {
    let new = to.with_extension("new");
    fs::copy(from, &new)?;
    fs::rename(&new, to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_replaced_with_its_permissions() {
        use std::os::unix::fs::PermissionsExt;

        let temporary = tempfile::tempdir().unwrap();
        let (from, to) = (temporary.path().join("from"), temporary.path().join("to"));
        fs::write(&from, "new").unwrap();
        fs::set_permissions(&from, fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(&to, "old").unwrap();
        replace(&from, &to).unwrap();
        assert_eq!(fs::read_to_string(&to).unwrap(), "new");
        assert_eq!(fs::metadata(&to).unwrap().permissions().mode() & 0o777, 0o755);
    }

    #[test]
    fn a_run_without_the_end_to_end_tests_builds_nothing() {
        let workspace = Workspace::load().unwrap();
        let selection = Selection::Packages(vec!["xtask".to_owned()]);
        assert_eq!(build(&workspace, &selection).unwrap(), Some(Vec::new()));
    }
}
