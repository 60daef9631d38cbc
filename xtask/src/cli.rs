//! The command line. The documentation lint reads it too, to find commands that no longer exist.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// What `cargo xtask` can do.
#[derive(Debug, Parser)]
#[command(name = "xtask", bin_name = "cargo xtask", about = "Runs this project's tests, checks and generators")]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) task: Task,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Task {
    /// Run every test against real services that live as long as the run
    Test(TestArguments),
    /// Run every check that needs no running test
    Lint,
    /// Write the generated files again
    Codegen(CodegenArguments),
    /// Print every provider and how it is tested
    Providers(ProvidersArguments),
    /// Measure the server beside bare controls, in release mode
    Bench(BenchArguments),
    /// Begin a provider: a manifest among the standard ones, or a crate
    NewProvider(NewProviderArguments),
}

#[derive(Debug, Args)]
pub(crate) struct TestArguments {
    /// Test this package only (may be repeated)
    #[arg(short, long = "package", value_name = "NAME")]
    pub(crate) packages: Vec<String>,
    /// Instead of all that, install the runtimes of others and prove what this project does to them by its effect
    #[arg(long, conflicts_with_all = ["packages", "nextest"])]
    pub(crate) real_runtimes: bool,
    /// Arguments for `cargo nextest run`
    #[arg(last = true, value_name = "ARGUMENT")]
    pub(crate) nextest: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct CodegenArguments {
    /// Change nothing and fail when a file is out of date
    #[arg(long)]
    pub(crate) check: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ProvidersArguments {
    /// Fail when docs/providers.md says something else
    #[arg(long)]
    pub(crate) check: bool,
}

#[derive(Debug, Args)]
pub(crate) struct BenchArguments {
    /// Measure one store only
    #[arg(long, conflicts_with = "kernels")]
    pub(crate) store: Option<Store>,
    /// Measure only what has this in its name
    #[arg(long, value_name = "NAME")]
    pub(crate) only: Option<String>,
    /// Write everything that was measured to this file
    #[arg(long, value_name = "FILE", conflicts_with = "kernels")]
    pub(crate) json: Option<PathBuf>,
    /// Draw the ratios into this file [default: bench.svg in the target folder]
    #[arg(long, value_name = "FILE", conflicts_with = "kernels")]
    pub(crate) chart: Option<PathBuf>,
    /// Multiply agents and integrations by this
    #[arg(long, value_name = "FACTOR", default_value_t = 1, conflicts_with = "kernels")]
    pub(crate) scale: u32,
    /// How often server and control take turns
    #[arg(long, value_name = "TIMES", default_value_t = 5, conflicts_with = "kernels")]
    pub(crate) alternations: u32,
    /// How long each turn lasts
    #[arg(long, default_value_t = 2, conflicts_with = "kernels")]
    pub(crate) seconds: u64,
    /// Count the instructions of the CPU-bound kernels instead, and compare them with the baseline
    #[arg(long)]
    pub(crate) kernels: bool,
    /// Make what was counted the new baseline
    #[arg(long, requires = "kernels")]
    pub(crate) update: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Store {
    Sqlite,
    Postgres,
}

#[derive(Debug, Args)]
pub(crate) struct NewProviderArguments {
    /// The provider's id
    pub(crate) name: String,
    /// A manifest alone (the default)
    #[arg(long, group = "form")]
    pub(crate) declarative: bool,
    /// A crate that tests its connection in code
    #[arg(long, group = "form")]
    pub(crate) code: bool,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn arguments_after_the_dashes_go_to_nextest() {
        let cli = Cli::try_parse_from(["xtask", "test", "--package", "nora-kernel", "--", "-E", "test(x)"]).unwrap();
        let Task::Test(arguments) = cli.task else { panic!("another task: {cli:?}") };
        assert_eq!(arguments.packages, ["nora-kernel"]);
        assert_eq!(arguments.nextest, ["-E", "test(x)"]);
    }
}
