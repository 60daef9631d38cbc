#![doc = include_str!("../README.md")]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a report is printed")]

mod cli;
mod control;
mod database;
mod kernels;
mod load;
mod measure;
mod numbers;
mod product;
mod progress;
mod report;
mod run;
mod runtime;
mod scenario;
mod seed;
mod usage;
mod world;

use std::process::ExitCode;

use clap::Parser as _;

use cli::{Cli, Task};

fn main() -> ExitCode {
    let ended = match Cli::parse().task {
        Task::Run(arguments) => run::run(&arguments),
        Task::Control(arguments) => control::serve(&arguments).map(|()| true),
        Task::Kernel(arguments) => kernels::run(&arguments).map(|()| true),
    };
    match ended {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
