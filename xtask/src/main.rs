#![doc = include_str!("../README.md")]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "printing is a task runner's job")]

mod bench;
mod cli;
mod codegen;
mod environment;
mod interrupts;
mod layers;
mod lint;
mod new_provider;
mod process;
mod providers;
mod services;
mod test;
mod tools;
mod workspace;

use std::process::ExitCode;

use clap::Parser;

use cli::{Cli, Task};
use interrupts::Interrupted;

fn main() -> ExitCode {
    match run(Cli::parse().task) {
        Ok(Verdict::Passed) => ExitCode::SUCCESS,
        Ok(Verdict::Failed) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(if error.is::<Interrupted>() { 130 } else { 1 })
        }
    }
}

fn run(task: Task) -> anyhow::Result<Verdict> {
    interrupts::watch()?;
    match task {
        Task::Test(arguments) => test::run(&arguments),
        Task::Lint => lint::run(),
        Task::Codegen(arguments) => codegen::run(&arguments),
        Task::Providers(arguments) => providers::run(&arguments),
        Task::Bench(arguments) => bench::run(&arguments),
        Task::NewProvider(arguments) => new_provider::run(&arguments),
    }
}

/// How a task ended that could be carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Passed,
    /// It has told why.
    Failed,
}

impl From<bool> for Verdict {
    fn from(passed: bool) -> Self {
        if passed { Self::Passed } else { Self::Failed }
    }
}
