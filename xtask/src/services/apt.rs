//! Debian's packages.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process;

/// Fails with what to do unless packages can be installed here. `missing` says what is not there.
pub(super) fn require(search_path: &[PathBuf], missing: &str, package: &str) -> Result<()> {
    require_as(search_path, rustix::process::geteuid().is_root(), missing, package)
}

fn require_as(search_path: &[PathBuf], is_root: bool, missing: &str, package: &str) -> Result<()> {
    if is_root && search_path.iter().any(|folder| folder.join("apt-get").is_file()) {
        return Ok(());
    }
    bail!("{missing}: install the server (on Debian or Ubuntu: `apt-get install {package}`) and run this again")
}

/// Installs a package, and what it cannot do without.
pub(super) fn install(package: &str) -> Result<()> {
    apt_get(&["update"])?;
    apt_get(&["install", "-y", "--no-install-recommends", package])
}

fn apt_get(arguments: &[&str]) -> Result<()> {
    let mut command = Command::new("apt-get");
    if !process::run(command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive"))? {
        bail!("`apt-get {}` failed", arguments.join(" "));
    }
    Ok(())
}

/// A file that is gone when this is dropped.
pub(super) struct TemporaryFile<'a>(&'a Path);

impl<'a> TemporaryFile<'a> {
    pub(super) fn write(path: &'a Path, content: &str) -> Result<Self> {
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
        let message = require_as(&[], false, "the server is missing", "postgresql").unwrap_err().to_string();
        assert!(message.contains("apt-get install postgresql"), "{message}");
        assert!(!message.contains('\n'), "{message}");
    }

    #[test]
    fn root_with_the_package_manager_can_install() {
        let temporary = tempfile::tempdir().unwrap();
        let search_path = [temporary.path().to_owned()];
        let can_install = |is_root| require_as(&search_path, is_root, "the server is missing", "server").is_ok();
        assert!(!can_install(true));
        fs::write(temporary.path().join("apt-get"), "").unwrap();
        assert!(can_install(true));
        assert!(!can_install(false));
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
