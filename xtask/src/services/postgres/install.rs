//! Getting the server's programs onto the machine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::programs::{self, Programs};
use crate::{environment, process};

/// Read by Debian's packages when they are installed: without it they start a cluster of their own.
const NO_CLUSTER_OF_ITS_OWN: &str = "/etc/postgresql-common/createcluster.d/nora-tests.conf";

pub(super) fn found_or_installed() -> Result<Programs> {
    let search_path = environment::search_path();
    if let Some(folder) = programs::find(&search_path) {
        return Programs::new(folder);
    }
    require_a_way_to_install(&search_path, rustix::process::geteuid().is_root())?;
    install()?;
    let folder = programs::find(&search_path).context("PostgreSQL was installed, but its programs are not found")?;
    Programs::new(folder)
}

fn require_a_way_to_install(search_path: &[PathBuf], is_root: bool) -> Result<()> {
    if is_root && search_path.iter().any(|folder| folder.join("apt-get").is_file()) {
        return Ok(());
    }
    bail!(
        "PostgreSQL's initdb, pg_ctl and postgres are neither on PATH nor under /usr/lib/postgresql: \
         install the server (on Debian or Ubuntu: `apt-get install postgresql`) and run this again"
    )
}

fn install() -> Result<()> {
    println!("PostgreSQL is missing: installing it");
    let _setting = TemporaryFile::write(Path::new(NO_CLUSTER_OF_ITS_OWN), "create_main_cluster = false\n")?;
    apt_get(&["update"])?;
    apt_get(&["install", "-y", "--no-install-recommends", "postgresql"])
}

fn apt_get(arguments: &[&str]) -> Result<()> {
    let mut command = Command::new("apt-get");
    if !process::run(command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive"))? {
        bail!("`apt-get {}` failed", arguments.join(" "));
    }
    Ok(())
}

/// A file that is gone when this is dropped.
struct TemporaryFile<'a>(&'a Path);

impl<'a> TemporaryFile<'a> {
    fn write(path: &'a Path, content: &str) -> Result<Self> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
        }
        fs::write(path, content).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for TemporaryFile<'_> {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(self.0) {
            eprintln!("cannot remove {}: {error}", self.0.display());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_root_it_says_what_to_do_in_one_line() {
        let message = require_a_way_to_install(&[], false).unwrap_err().to_string();
        assert!(message.contains("apt-get install postgresql"), "{message}");
        assert!(!message.contains('\n'), "{message}");
    }

    #[test]
    fn root_with_the_package_manager_can_install() {
        let temporary = tempfile::tempdir().unwrap();
        let search_path = [temporary.path().to_owned()];
        assert!(require_a_way_to_install(&search_path, true).is_err());
        fs::write(temporary.path().join("apt-get"), "").unwrap();
        assert!(require_a_way_to_install(&search_path, true).is_ok());
        assert!(require_a_way_to_install(&search_path, false).is_err());
    }

    #[test]
    fn the_setting_does_not_outlive_the_installation() {
        let temporary = tempfile::tempdir().unwrap();
        let path = temporary.path().join("folder/setting.conf");
        let file = TemporaryFile::write(&path, "setting").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "setting");
        drop(file);
        assert!(!path.exists());
    }
}
