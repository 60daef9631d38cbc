//! The examples in the documentation, which nextest cannot run.

use anyhow::Result;

use super::binaries;
use super::selection::Selection;
use super::summary::{Counts, Outcome};
use crate::process;
use crate::services::Variable;
use crate::workspace::{self, Workspace};

/// Runs them; `None` if no selected package is a library, the only kind that can have any.
pub(super) fn run(workspace: &Workspace, selection: &Selection, variables: &[Variable]) -> Result<Option<Outcome>> {
    let Some(arguments) = arguments(workspace, selection) else { return Ok(None) };
    let mut command = process::cargo(workspace.root(), ["test", "--doc", "--no-fail-fast"]);
    command.args(arguments).envs(variables.iter().cloned());
    let mut counts = None;
    let succeeded = process::run_watching_output(&mut command, |line| add(&mut counts, line))?;
    Ok(Some(Outcome { succeeded, counts }))
}

/// Cargo refuses a package without a library when it is named, and passes over it in a whole workspace.
fn arguments(workspace: &Workspace, selection: &Selection) -> Option<Vec<String>> {
    let packages = selection.of(workspace.packages());
    let libraries: Vec<_> = packages.into_iter().filter(|package| workspace::is_library(package)).collect();
    if libraries.is_empty() {
        return None;
    }
    if *selection == Selection::Everything {
        return Some([selection.arguments(), binaries::features(workspace)].concat());
    }
    Some(Selection::Packages(libraries.iter().map(|library| library.name.to_string()).collect()).arguments())
}

pub(super) fn add(total: &mut Option<Counts>, line: &str) {
    if let Some(counts) = parse(line) {
        *total = Some(total.unwrap_or_default() + counts);
    }
}

/// Reads a closing line, such as `test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out`.
fn parse(line: &str) -> Option<Counts> {
    let (_, results) = line.strip_prefix("test result: ")?.split_once(". ")?;
    let mut counts = Counts::default();
    for result in results.split("; ") {
        let Some((number, word)) = result.split_once(' ') else { continue };
        match word {
            "passed" => counts.passed = number.parse().ok()?,
            "failed" => counts.failed = number.parse().ok()?,
            "ignored" => counts.skipped = number.parse().ok()?,
            _ => {}
        }
    }
    Some(counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crates_add_up() {
        let mut total = None;
        for line in [
            "running 4 tests",
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.21s",
            "",
            "test result: FAILED. 2 passed; 5 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s",
        ] {
            add(&mut total, line);
        }
        assert_eq!(total, Some(Counts { passed: 5, failed: 5, skipped: 1, not_run: 0 }));
    }

    #[test]
    fn a_coloured_result_is_read() {
        let line = "test result: \u{1b}[32mok\u{1b}[m. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out";
        assert_eq!(parse(line), Some(Counts { passed: 3, ..Counts::default() }));
    }

    #[test]
    fn other_lines_count_nothing() {
        assert_eq!(parse("test src/lib.rs - example (line 3) ... ok"), None);
    }
}
