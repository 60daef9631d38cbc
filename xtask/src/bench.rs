//! `cargo xtask bench`: the server beside bare controls, in release mode.

mod kernels;

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::Verdict;
use crate::cli::{BenchArguments, Store};
use crate::process;
use crate::services::Services;
use crate::workspace::Workspace;

/// Agents at scale 1: those that paths are measured over, and those that are behind after an outage.
const AGENTS: u32 = 1_000;
const BEHIND: u32 = 10_000;

/// Fails if the bench itself is unsound, and for no figure.
pub(crate) fn run(arguments: &BenchArguments) -> Result<Verdict> {
    let workspace = Workspace::load()?;
    if arguments.kernels {
        return kernels::run(&workspace, arguments);
    }
    build(&workspace, "nora-server", "nora")?;
    build(&workspace, "nora-bench", "nora-bench")?;
    let scratch = workspace.scratch();
    fs::create_dir_all(&scratch).with_context(|| format!("cannot create {}", scratch.display()))?;
    let stores = arguments.store.map_or_else(|| vec![Store::Sqlite, Store::Postgres], |store| vec![store]);
    let with_postgres = stores.contains(&Store::Postgres);
    let mut services = if with_postgres { Services::for_bench()? } else { Services::none() };
    let variables = services.start()?;
    let mut command = Command::new(released(&workspace, "nora-bench"));
    command.arg("run").arg("--nora").arg(released(&workspace, "nora")).arg("--scratch").arg(scratch);
    command.args(stores.iter().flat_map(|store| ["--store", name(*store)])).args(measured(&workspace, arguments));
    Ok(process::run(command.envs(variables))?.into())
}

fn measured(workspace: &Workspace, arguments: &BenchArguments) -> Vec<String> {
    let BenchArguments { only, json, chart, scale, alternations, seconds, .. } = arguments;
    let chart = chart.clone().unwrap_or_else(|| workspace.target().join("bench.svg"));
    let mut passed = vec!["--chart".to_owned(), chart.display().to_string()];
    passed.extend(only.iter().flat_map(|only| ["--only".to_owned(), only.clone()]));
    passed.extend(json.iter().flat_map(|json| ["--json".to_owned(), json.display().to_string()]));
    let numbers = [
        ("--agents", AGENTS.saturating_mul(*scale).to_string()),
        ("--behind", BEHIND.saturating_mul(*scale).to_string()),
        ("--alternations", alternations.to_string()),
        ("--seconds", seconds.to_string()),
    ];
    passed.extend(numbers.into_iter().flat_map(|(flag, number)| [flag.to_owned(), number]));
    passed
}

const fn name(store: Store) -> &'static str {
    match store {
        Store::Sqlite => "sqlite",
        Store::Postgres => "postgres",
    }
}

/// Each package alone, so that the server has the features it is released with and no others.
fn build(workspace: &Workspace, package: &str, program: &str) -> Result<()> {
    let build = ["build", "--release", "--package", package, "--bin", program];
    if !process::run(&mut process::cargo(workspace.root(), build))? {
        bail!("{package} does not build");
    }
    Ok(())
}

fn released(workspace: &Workspace, program: &str) -> PathBuf {
    workspace.target().join("release").join(program)
}
