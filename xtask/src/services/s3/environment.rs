//! A Python environment with exactly the packages of one file.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process;

/// Written last: the requirements an environment holds. One that was cut short has none.
const HOLDS: &str = "nora-requirements.txt";

/// The interpreter of the environment in `folder`, which is made anew if it does not hold what `requirements` lists.
pub(super) fn python(folder: &Path, requirements: &Path) -> Result<PathBuf> {
    let wanted = fs::read_to_string(requirements).with_context(|| format!("cannot read {}", requirements.display()))?;
    let python = folder.join("bin/python");
    if holds(folder, &wanted) {
        return Ok(python);
    }
    println!("the packages of the S3 store are missing: installing them");
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    let venv = process::run(Command::new("python3").args(["-m", "venv"]).arg(folder));
    if !venv.is_ok_and(|made| made) {
        bail!("cannot make a Python environment: install Python 3 with venv (on Debian or Ubuntu: `apt-get install python3-venv`)");
    }
    let mut install = Command::new(&python);
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]).arg(requirements);
    if !process::run(&mut install)? {
        bail!("cannot install the packages of {}", requirements.display());
    }
    fs::write(folder.join(HOLDS), wanted).context("cannot finish the Python environment")?;
    Ok(python)
}

fn holds(folder: &Path, wanted: &str) -> bool {
    fs::read_to_string(folder.join(HOLDS)).is_ok_and(|held| held == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_environment_is_used_again_until_its_packages_change() {
        let temporary = tempfile::tempdir().unwrap();
        let (folder, requirements) = (temporary.path().join("s3"), temporary.path().join("requirements.txt"));
        fs::create_dir(&folder).unwrap();
        fs::write(&requirements, "moto==1").unwrap();
        assert!(!holds(&folder, "moto==1"), "it was cut short");
        fs::write(folder.join(HOLDS), "moto==1").unwrap();
        assert_eq!(python(&folder, &requirements).unwrap(), folder.join("bin/python"));
        assert!(!holds(&folder, "moto==2"));
    }
}
