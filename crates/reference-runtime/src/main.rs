//! The program `reference-runtime`.

use std::error::Error;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use nora_kernel::Secret;
use nora_reference_runtime::{Config, RunningRuntime};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;
use zeroize::Zeroizing;

/// A small agent runtime that takes its integrations and environment from nora.
#[derive(Debug, Parser)]
#[command(name = "reference-runtime", version)]
struct Arguments {
    /// Where to listen.
    #[arg(long, env = "NORA_RUNTIME_LISTEN", default_value = "127.0.0.1:9090")]
    listen: SocketAddr,
    /// A file that holds the bearer token to demand.
    #[arg(long, env = "NORA_RUNTIME_TOKEN_FILE")]
    token_file: PathBuf,
    /// A file to keep the last push in over a restart. It will hold credentials and be readable by its owner alone.
    #[arg(long, env = "NORA_RUNTIME_STATE")]
    state: Option<PathBuf>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    tracing_subscriber::fmt().with_env_filter(filter()).with_writer(std::io::stderr).init();
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = error.as_ref(), "the runtime ended");
            ExitCode::FAILURE
        }
    }
}

fn filter() -> EnvFilter {
    EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn,nora=info,reference_runtime=info"))
}

async fn run(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    let Arguments { listen, token_file, state } = arguments;
    let config = Config { listen, state_file: state, ..Config::on_loopback(token(&token_file)?) };
    let mut terminate = signal(SignalKind::terminate())?;
    let runtime = RunningRuntime::start(config)?;
    tracing::info!(address = %runtime.address(), generation = runtime.handle().generation(), "listening");
    tokio::select! {
        _ = terminate.recv() => {}
        interrupted = tokio::signal::ctrl_c() => interrupted?,
    }
    runtime.stop().await;
    Ok(())
}

fn token(path: &Path) -> std::io::Result<Secret> {
    let text = Zeroizing::new(std::fs::read_to_string(path)?);
    Ok(Secret::new(text.trim().to_owned()))
}
