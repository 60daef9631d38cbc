//! Every test but the doc tests.

use anyhow::Result;

use super::binaries;
use super::selection::Selection;
use super::summary::{Counts, Outcome};
use crate::services::Variable;
use crate::workspace::Workspace;
use crate::{environment, process};

pub(super) fn run(
    workspace: &Workspace,
    selection: &Selection,
    variables: &[Variable],
    extra: &[String],
) -> Result<Outcome> {
    let mut command = process::cargo(workspace.root(), ["nextest", "run"]);
    command.args(selection.arguments());
    if *selection == Selection::Everything {
        command.args(binaries::features(workspace));
    }
    command.args(extra).envs(variables.iter().cloned());
    if environment::on_ci() {
        // Not as an argument: nextest refuses a second `--profile`, and `extra` may bring one.
        command.env("NEXTEST_PROFILE", "ci");
    }
    let mut counts = None;
    let succeeded = process::run_watching_errors(&mut command, |line| counts = parse(line).or(counts))?;
    Ok(Outcome { succeeded, counts })
}

/// Reads nextest's closing line, such as `Summary [ 0.5s] 4/5 tests run: 2 passed (1 slow), 2 failed, 3 skipped`.
fn parse(line: &str) -> Option<Counts> {
    let line = without_colours(line);
    let (_, line) = line.trim_start().strip_prefix("Summary [")?.split_once("] ")?;
    let (tests, results) = line.split_once(" run: ")?;
    let mut counts = Counts { not_run: not_run(tests)?, ..Counts::default() };
    for result in without_remarks(results).split(", ") {
        let (number, word) = result.trim().split_once(' ')?;
        let number: usize = number.parse().ok()?;
        match word.trim() {
            "passed" => counts.passed += number,
            "skipped" => counts.skipped += number,
            // "failed", "timed out", "exec failed", "setup script failed"
            _ => counts.failed += number,
        }
    }
    Some(counts)
}

/// `4/5 tests` are 4 of 5 that were run before the rest was cancelled; `5 tests` were all run.
fn not_run(tests: &str) -> Option<usize> {
    let (numbers, _) = tests.split_once(' ')?;
    let Some((run, all)) = numbers.split_once('/') else { return numbers.parse::<usize>().ok().map(|_| 0) };
    all.parse::<usize>().ok()?.checked_sub(run.parse().ok()?)
}

fn without_remarks(results: &str) -> String {
    let mut kept = String::new();
    for part in results.split('(') {
        kept.push_str(part.split_once(')').map_or(part, |(_, after)| after));
    }
    kept
}

fn without_colours(line: &str) -> String {
    let mut parts = line.split("\u{1b}[");
    let mut kept = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        kept.push_str(part.split_once('m').map_or(part, |(_, after)| after));
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: Counts) {
        assert_eq!(parse(line), Some(expected), "{line}");
    }

    #[test]
    fn a_green_run() {
        let expected = Counts { passed: 12, ..Counts::default() };
        check("     Summary [   0.004s] 12 tests run: 12 passed, 0 skipped", expected);
        check("     Summary [   0.004s] 12 tests run: 12 passed (1 slow, 2 leaky), 0 skipped", expected);
    }

    #[test]
    fn one_test_is_not_plural() {
        let expected = Counts { passed: 1, skipped: 2, ..Counts::default() };
        check("     Summary [   0.004s] 1 test run: 1 passed, 2 skipped", expected);
    }

    #[test]
    fn every_way_to_fail_counts() {
        let expected = Counts { passed: 3, failed: 4, skipped: 5, not_run: 0 };
        check(
            "Summary [ 1.2s] 7 tests run: 3 passed (1 flaky), 2 failed, 1 timed out, 1 exec failed, 5 skipped",
            expected,
        );
    }

    #[test]
    fn a_cancelled_run_tells_what_it_left_out() {
        let expected = Counts { passed: 3, failed: 1, skipped: 0, not_run: 6 };
        check("Summary [ 1.2s] 4/10 tests run: 3 passed, 1 failed, 0 skipped", expected);
    }

    #[test]
    fn colours_do_not_matter() {
        let expected = Counts { passed: 2, ..Counts::default() };
        let line = "\u{1b}[32;1m     Summary\u{1b}[0m [   0.1s] \u{1b}[1m2\u{1b}[0m tests run: \u{1b}[1m2\u{1b}[0m \
                    \u{1b}[32;1mpassed\u{1b}[0m, \u{1b}[1m0\u{1b}[0m \u{1b}[33;1mskipped\u{1b}[0m";
        check(line, expected);
    }

    #[test]
    fn other_lines_are_none() {
        assert_eq!(parse("        PASS [   0.004s] xtask tests::summary"), None);
        assert_eq!(parse("Summary of changes: 3 passed"), None);
    }
}
