//! `cargo xtask lint`: every check that needs no running test. All of them run, also after one has failed.

mod commands;
mod contract_suites;
mod docs;
mod manifests;

use std::fmt::Write;

use anyhow::{Result, bail};

use crate::interrupts::Interrupted;
use crate::layers::{self, Graph};
use crate::workspace::Workspace;
use crate::{Verdict, codegen};

struct Step {
    name: &'static str,
    check: fn(&Workspace) -> Result<()>,
}

/// The quick ones first.
const STEPS: [Step; 9] = [
    Step { name: "formatting", check: commands::formatting },
    Step { name: "layers", check: |workspace| none_of(&layers::violations(&Graph::new(workspace.packages()))) },
    Step { name: "manifests", check: |workspace| none_of(&manifests::violations(workspace)?) },
    Step { name: "contract suites", check: |workspace| none_of(&contract_suites::violations(workspace.root())?) },
    Step { name: "documents", check: |workspace| none_of(&docs::violations(workspace)?) },
    Step { name: "clippy", check: commands::clippy },
    Step { name: "dependencies", check: commands::dependencies },
    Step { name: "API documentation", check: commands::api_documentation },
    Step { name: "generated files", check: |workspace| codegen::check(workspace.root()) },
];

pub(crate) fn run() -> Result<Verdict> {
    let workspace = Workspace::load()?;
    let mut failed = Vec::new();
    for step in &STEPS {
        println!("==> {}", step.name);
        match (step.check)(&workspace) {
            Ok(()) => println!("{} ... ok\n", step.name),
            Err(error) if error.is::<Interrupted>() => return Err(error),
            Err(error) => {
                println!("{error:#}\n{} ... failed\n", step.name);
                failed.push(step.name);
            }
        }
    }
    println!("{}", summary(STEPS.len(), &failed));
    Ok(Verdict::from(failed.is_empty()))
}

fn none_of(violations: &[String]) -> Result<()> {
    if violations.is_empty() {
        return Ok(());
    }
    bail!("{}", violations.join("\n"))
}

fn summary(checks: usize, failed: &[&str]) -> String {
    let mut summary = format!("{} of {checks} checks passed", checks - failed.len());
    if !failed.is_empty() {
        // Infallible: the target is a string.
        write!(summary, "; failed: {}", failed.join(", ")).ok();
    }
    summary
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn violations_are_listed_one_a_line() {
        let error = none_of(&["one".to_owned(), "two".to_owned()]).unwrap_err();
        assert_eq!(error.to_string(), "one\ntwo");
        assert!(none_of(&[]).is_ok());
    }

    #[test]
    fn the_summary_names_what_failed() {
        assert_eq!(summary(9, &[]), "9 of 9 checks passed");
        assert_eq!(summary(9, &["clippy", "layers"]), "7 of 9 checks passed; failed: clippy, layers");
    }
}
