//! `cargo xtask test`: services, then the build, the tests and the doc tests, then a summary.

mod binaries;
mod doc_tests;
mod example;
mod nextest;
mod real_runtimes;
mod selection;
mod summary;

use anyhow::Result;

use crate::cli::TestArguments;
use crate::services::Services;
use crate::workspace::Workspace;
use crate::{Verdict, environment, tools};
use selection::Selection;
use summary::Summary;

pub(crate) fn run(arguments: &TestArguments) -> Result<Verdict> {
    let workspace = Workspace::load()?;
    if arguments.real_runtimes {
        return real_runtimes::run(&workspace);
    }
    let selection = Selection::new(&workspace, &arguments.packages)?;
    tools::require(workspace.root(), "nextest")?;
    let mut services = Services::for_tests(&workspace.scratch())?;

    let Some(mut variables) = binaries::build(&workspace, &selection)? else {
        println!("\nThe build failed: no test ran.");
        return Ok(Verdict::Failed);
    };
    variables.extend(services.start()?);

    let mut summary = Summary::default();
    summary.add("tests", nextest::run(&workspace, &selection, &variables, &arguments.nextest)?);
    if let Some(result) = doc_tests::run(&workspace, &selection, &variables)? {
        summary.add("doc tests", result);
    }
    drop(services);
    if let Some(result) = example::run(&workspace, &selection)? {
        summary.add("example", result);
    }

    let skips_allowed = !environment::on_ci();
    println!("\n{}", summary.text(skips_allowed));
    Ok(Verdict::from(summary.passed(skips_allowed)))
}
