//! Instructions of the CPU-bound kernels, which are the same on a busy machine.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::Verdict;
use crate::cli::BenchArguments;
use crate::process;
use crate::workspace::Workspace;

/// What a kernel cost when somebody last looked and found it right.
const BASELINE: &str = "crates/bench/kernels.toml";

const HEAD: &str = "# Instructions of one run of each kernel, written by `cargo xtask bench --kernels --update`.\n";

/// As `nora-bench kernel` knows them.
const KERNELS: [&str; 7] =
    ["api-key", "vault-seal", "vault-open", "schema-validation", "catalog-filter", "signature", "catalog-build"];

/// A kernel is run this often and that often: the difference is what it costs without the start of the program.
const FEW: u64 = 10;
const MANY: u64 = 110;

/// Beyond this share of the baseline a kernel is said to have changed.
const NOTABLE_PERCENT: u64 = 2;

type Counts = BTreeMap<String, u64>;

/// Never fails for a count.
pub(super) fn run(workspace: &Workspace, arguments: &BenchArguments) -> Result<Verdict> {
    super::build(workspace, "nora-bench", "nora-bench")?;
    let baseline = read(&workspace.root().join(BASELINE))?;
    let mut counted = Counts::new();
    for kernel in KERNELS.iter().filter(|kernel| arguments.only.as_ref().is_none_or(|only| kernel.contains(only))) {
        let instructions =
            (instructions(workspace, kernel, MANY)? - instructions(workspace, kernel, FEW)?) / (MANY - FEW);
        println!("{}", compared(kernel, instructions, baseline.get(*kernel).copied()));
        counted.insert((*kernel).to_owned(), instructions);
    }
    if arguments.update {
        let all = baseline.into_iter().chain(counted).collect();
        fs::write(workspace.root().join(BASELINE), text(&all)).with_context(|| format!("cannot write {BASELINE}"))?;
        println!("{BASELINE} written");
    }
    Ok(Verdict::Passed)
}

/// What valgrind counts over a whole run of the program.
fn instructions(workspace: &Workspace, kernel: &str, times: u64) -> Result<u64> {
    let folder = tempfile::tempdir().context("no folder can be made")?;
    let file = folder.path().join("counts");
    let mut command = Command::new("valgrind");
    command.arg("--tool=callgrind").arg(format!("--callgrind-out-file={}", file.display()));
    command.arg(super::released(workspace, "nora-bench")).args(["kernel", kernel, &times.to_string()]);
    let ended = process::uninterrupted(&mut command).context("on Debian or Ubuntu: `apt-get install valgrind`")?;
    if !ended.status.success() {
        bail!("the kernel {kernel} failed: {}", String::from_utf8_lossy(&ended.stderr));
    }
    let counts = fs::read_to_string(&file).context("valgrind counted nothing")?;
    total(&counts).with_context(|| format!("valgrind's file about {kernel} has no total"))
}

/// The line is `totals: N`, or `summary: N` in older versions.
fn total(counts: &str) -> Option<u64> {
    let mut lines = counts.lines().filter_map(|line| line.strip_prefix("totals:").or(line.strip_prefix("summary:")));
    lines.next_back()?.split_whitespace().next()?.parse().ok()
}

fn compared(kernel: &str, now: u64, before: Option<u64>) -> String {
    let Some(before) = before else { return format!("{kernel}: {now} instructions, not in the baseline") };
    let notable = now.abs_diff(before) * 100 > before * NOTABLE_PERCENT;
    let verdict = match (notable, now > before) {
        (false, _) => "as before",
        (true, true) => "MORE THAN BEFORE",
        (true, false) => "less than before",
    };
    format!("{kernel}: {now} instructions, {before} in the baseline: {verdict}")
}

fn read(file: &Path) -> Result<Counts> {
    let text = fs::read_to_string(file).unwrap_or_default();
    toml::from_str(&text).with_context(|| format!("cannot read {BASELINE}"))
}

fn text(counts: &Counts) -> String {
    counts.iter().fold(HEAD.to_owned(), |text, (kernel, count)| format!("{text}{kernel} = {count}\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_is_found_in_either_form() {
        assert_eq!(total("fn=main\n1 2\ntotals: 4711\n"), Some(4711));
        assert_eq!(total("events: Ir\nsummary: 12 34\n"), Some(12));
        assert_eq!(total("nothing"), None);
    }

    #[test]
    fn small_changes_are_none() {
        assert!(compared("a", 101, Some(100)).ends_with("as before"));
        assert!(compared("a", 103, Some(100)).ends_with("MORE THAN BEFORE"));
        assert!(compared("a", 97, Some(100)).ends_with("less than before"));
        assert!(compared("a", 97, None).ends_with("not in the baseline"));
    }

    #[test]
    fn a_baseline_is_read_back() {
        let counts = Counts::from([("api-key".to_owned(), 7), ("vault-open".to_owned(), 9)]);
        assert_eq!(toml::from_str::<Counts>(&text(&counts)).unwrap(), counts);
    }
}
