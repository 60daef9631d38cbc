//! What ran and how it ended.

use std::fmt;
use std::ops::Add;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) passed: usize,
    pub(super) failed: usize,
    /// Left out on purpose: marked as ignored, or filtered out.
    pub(super) skipped: usize,
    /// Left out because an earlier failure ended the run.
    pub(super) not_run: usize,
}

impl Add for Counts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            passed: self.passed + other.passed,
            failed: self.failed + other.failed,
            skipped: self.skipped + other.skipped,
            not_run: self.not_run + other.not_run,
        }
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { passed, failed, skipped, not_run } = self;
        write!(formatter, "{passed} passed, {failed} failed, {skipped} skipped")?;
        if *not_run > 0 {
            write!(formatter, ", {not_run} not run")?;
        }
        Ok(())
    }
}

/// How one program that runs tests ended.
#[derive(Debug, Clone, Copy)]
pub(super) struct Outcome {
    /// By its exit code.
    pub(super) succeeded: bool,
    /// By its own words; `None` if it said nothing that we understand.
    pub(super) counts: Option<Counts>,
}

impl Outcome {
    /// Why this is not a success, if it is none. What nobody counted did not happen.
    fn objection(&self, skips_allowed: bool) -> Option<&'static str> {
        match self.counts {
            _ if !self.succeeded => Some("failed"),
            None => Some("failed: no count of tests in the output"),
            Some(counts) if counts.failed > 0 || counts.not_run > 0 => Some("failed"),
            Some(counts) if counts.skipped > 0 && !skips_allowed => Some("failed: a pipeline skips no test"),
            Some(_) => None,
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Summary {
    stages: Vec<(&'static str, Outcome)>,
}

impl Summary {
    pub(super) fn add(&mut self, stage: &'static str, outcome: Outcome) {
        self.stages.push((stage, outcome));
    }

    pub(super) fn passed(&self, skips_allowed: bool) -> bool {
        self.stages.iter().all(|(_, outcome)| outcome.objection(skips_allowed).is_none())
    }

    pub(super) fn text(&self, skips_allowed: bool) -> String {
        let line = |(stage, outcome): &(&str, Outcome)| {
            let counts = outcome.counts.map_or_else(|| "nothing counted".to_owned(), |counts| counts.to_string());
            format!("{stage:<10} {counts} ... {}", outcome.objection(skips_allowed).unwrap_or("ok"))
        };
        self.stages.iter().map(line).collect::<Vec<_>>().join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GREEN: Counts = Counts { passed: 3, failed: 0, skipped: 0, not_run: 0 };

    fn summary(succeeded: bool, counts: Option<Counts>) -> Summary {
        let mut summary = Summary::default();
        summary.add("tests", Outcome { succeeded, counts });
        summary
    }

    #[test]
    fn a_green_run_passes() {
        let summary = summary(true, Some(GREEN));
        assert!(summary.passed(false));
        assert_eq!(summary.text(false), "tests      3 passed, 0 failed, 0 skipped ... ok");
    }

    #[test]
    fn skipped_tests_fail_only_where_they_are_not_allowed() {
        let summary = summary(true, Some(Counts { skipped: 1, ..GREEN }));
        assert!(summary.passed(true));
        assert!(!summary.passed(false));
        assert!(summary.text(false).ends_with("failed: a pipeline skips no test"));
    }

    #[test]
    fn the_exit_code_counts_more_than_the_words() {
        assert!(!summary(false, Some(GREEN)).passed(true));
    }

    #[test]
    fn a_run_that_nobody_counted_did_not_pass() {
        assert!(!summary(true, None).passed(true));
    }

    #[test]
    fn one_bad_stage_is_enough() {
        let mut summary = summary(true, Some(GREEN));
        summary.add("doc tests", Outcome { succeeded: true, counts: Some(Counts { failed: 1, ..GREEN }) });
        assert!(!summary.passed(true));
        assert!(summary.text(true).starts_with("tests      3 passed, 0 failed, 0 skipped ... ok\ndoc tests  3 passed"));
    }
}
