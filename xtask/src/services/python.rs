//! Python, with packages that only this workspace sees.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process;

const NO_PYTHON: &str = "Python 3 with its module venv is missing: install it (on Debian or Ubuntu: `apt-get install \
                         python3-venv`) and run this again";

/// A Python that has `packages` (each `NAME==VERSION`), in the one environment in `scratch` that all services share.
/// They are installed unless they were before.
pub(crate) fn with(scratch: &Path, service: &str, packages: &[&str]) -> Result<PathBuf> {
    let environment = scratch.join("venv");
    let python = environment.join("bin/python3");
    if !python.is_file() {
        let made = process::run(Command::new("python3").args(["-m", "venv"]).arg(&environment));
        if !made.context(NO_PYTHON)? {
            bail!(NO_PYTHON);
        }
    }
    let installed = environment.join(format!("{service}.packages"));
    let wanted = packages.join("\n");
    if fs::read_to_string(&installed).ok().as_ref() != Some(&wanted) {
        install(&python, service, packages)?;
        fs::write(&installed, wanted).with_context(|| format!("cannot write {}", installed.display()))?;
    }
    Ok(python)
}

fn install(python: &Path, service: &str, packages: &[&str]) -> Result<()> {
    if packages.is_empty() {
        return Ok(());
    }
    println!("installing {} for {service}", packages.join(", "));
    let arguments = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    if !process::run(Command::new(python).args(arguments).args(packages))? {
        bail!("pip cannot install {}", packages.join(", "));
    }
    Ok(())
}
