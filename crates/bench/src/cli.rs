//! The command line, which `cargo xtask bench` fills in.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

#[derive(Debug, Parser)]
#[command(name = "nora-bench", about = "Measures the server beside bare controls")]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) task: Task,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Task {
    /// Drive the server and the controls, one after the other and again, and print the ratios
    Run(RunArguments),
    /// Serve the controls
    Control(ControlArguments),
    /// Run one CPU-bound kernel a number of times, for a tool that counts instructions
    Kernel(KernelArguments),
}

#[derive(Debug, Clone, Args)]
pub(crate) struct RunArguments {
    /// The server's program
    #[arg(long, value_name = "FILE")]
    pub(crate) nora: PathBuf,
    /// A folder on the disk to measure
    #[arg(long, value_name = "FOLDER")]
    pub(crate) scratch: PathBuf,
    /// Measure this store (may be repeated)
    #[arg(long = "store", value_name = "STORE", required = true)]
    pub(crate) stores: Vec<Store>,
    /// URL of a role that may create databases
    #[arg(long, env = "NORA_TEST_POSTGRES_URL", hide_env_values = true)]
    pub(crate) postgres_url: Option<String>,
    /// Measure only what has this in its name
    #[arg(long, value_name = "NAME")]
    pub(crate) only: Option<String>,
    /// Write everything that was measured to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Draw the ratios into this file
    #[arg(long, value_name = "FILE")]
    pub(crate) chart: Option<PathBuf>,
    /// How many agents are seeded, with 5 integrations each
    #[arg(long, default_value_t = 1_000)]
    pub(crate) agents: u32,
    /// How many agents are behind after the outage
    #[arg(long, default_value_t = 10_000)]
    pub(crate) behind: u32,
    /// How often server and control take turns
    #[arg(long, default_value_t = 5)]
    pub(crate) alternations: u32,
    /// How long each turn lasts
    #[arg(long, default_value_t = 2)]
    pub(crate) seconds: u64,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct ControlArguments {
    #[arg(long)]
    pub(crate) listen: SocketAddr,
    /// The server's database: the URL of one, or the path of a file
    #[arg(long, env = "NORA_BENCH_DATABASE", hide_env_values = true)]
    pub(crate) database: String,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct KernelArguments {
    pub(crate) name: crate::kernels::Kernel,
    pub(crate) times: u32,
}

/// Which database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Store {
    Sqlite,
    Postgres,
}

impl Store {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
