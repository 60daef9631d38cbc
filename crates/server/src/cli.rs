//! The command line.

mod catalog;
pub(crate) mod commands;
mod vault;

use std::process::ExitCode;
use std::sync::Arc;

use clap::{CommandFactory as _, FromArgMatches as _};
use nora_provider_sdk::Provider;

use crate::cli::commands::{Command, Line};
use crate::settings::{self, Settings};
use crate::{StartError, hardening, remote, serve, telemetry};

/// Parses the command line and does what it says. A failure to start is one line on standard error.
pub(crate) fn main(providers: Vec<Arc<dyn Provider>>) -> ExitCode {
    let line = match Line::from_arg_matches(&Line::command().get_matches()) {
        Ok(line) => line,
        Err(error) => error.exit(),
    };
    match run(line, providers) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => refuse(&error),
    }
}

/// Says in one line why the process does not start.
#[expect(clippy::print_stderr, reason = "logging may not have started; this line is for the operator")]
pub(crate) fn refuse(error: &StartError) -> ExitCode {
    eprintln!("nora: {}", error.line());
    ExitCode::FAILURE
}

/// Prints a result of a command.
#[expect(clippy::print_stdout, reason = "the result of a command goes to standard output")]
pub(crate) fn print(text: &str) {
    println!("{text}");
}

fn run(line: Line, providers: Vec<Arc<dyn Provider>>) -> Result<(), StartError> {
    let Line { command, serve } = line;
    match command.unwrap_or(Command::Serve(serve)) {
        Command::Serve(flags) => start(|| serve::serve(Settings::parse(flags)?, providers)),
        Command::Demo(flags) => start(|| serve::demo(Settings::parse(flags)?, providers)),
        Command::Migrate(flags) => start(|| serve::migrate(Settings::parse(flags)?)),
        Command::Openapi => {
            print(&nora_http_api::openapi_json());
            Ok(())
        }
        Command::Vault(command) => start(|| vault::run(command)),
        Command::Catalog(command) => catalog::run(command, providers),
        Command::Key(command) => remote::keys::run(command),
        Command::Agent(command) => remote::agents::run(command),
        Command::Runtime(command) => remote::agents::runtime(command),
        Command::Mcp(command) => remote::mcp::run(command),
    }
}

/// What every command that handles secrets needs first.
fn start(run: impl FnOnce() -> Result<(), StartError>) -> Result<(), StartError> {
    let (format, filter) = settings::logging()?;
    telemetry::start(&filter, format);
    hardening::apply();
    nora_net_guard::install_default_provider();
    run()
}
