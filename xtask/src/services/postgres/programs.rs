//! The server's programs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Result, bail};

use super::account::Account;
use crate::process;

/// All three must be in one folder: `pg_ctl` starts the `postgres` beside it.
const NAMES: [&str; 3] = ["initdb", "pg_ctl", "postgres"];

/// Where Debian and Ubuntu put them, one folder for each version, outside everybody's PATH.
const DEBIAN: &str = "/usr/lib/postgresql";

#[derive(Debug, Clone)]
pub(super) struct Programs {
    folder: PathBuf,
    account: Account,
}

impl Programs {
    pub(super) fn new(folder: PathBuf) -> Result<Self> {
        Ok(Self { folder, account: Account::choose()? })
    }

    pub(super) fn account(&self) -> Account {
        self.account
    }

    /// Runs one of them to its end in `folder`, which its account must be able to enter, and fails with its words.
    pub(super) fn run(&self, folder: &Path, name: &str, arguments: &[&str]) -> Result<Output> {
        let output = self.output(folder, name, arguments)?;
        if !output.status.success() {
            bail!("{name} failed ({}): {}", output.status, said(&output));
        }
        Ok(output)
    }

    pub(super) fn output(&self, folder: &Path, name: &str, arguments: &[&str]) -> Result<Output> {
        let mut command = Command::new(self.folder.join(name));
        // Variables such as PGDATA or PGPORT would lead it to somebody's own cluster.
        command.env_clear().env("LC_ALL", "C").env("PATH", "/usr/bin:/bin").current_dir(folder).args(arguments);
        self.account.apply(&mut command);
        process::uninterrupted(&mut command)
    }
}

/// The first folder that has them: `search_path` in order, then Debian's, newest version first.
pub(super) fn find(search_path: &[PathBuf]) -> Option<PathBuf> {
    search_path.iter().cloned().chain(versions(Path::new(DEBIAN))).find(|folder| is_complete(folder))
}

fn versions(parent: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(parent).into_iter().flatten().flatten();
    let mut versions: Vec<(u32, PathBuf)> = entries
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .collect();
    versions.sort_by(|left, right| right.cmp(left));
    versions.into_iter().map(|(_, folder)| folder).collect()
}

fn is_complete(folder: &Path) -> bool {
    NAMES.iter().all(|name| folder.join(name).is_file())
}

fn said(output: &Output) -> String {
    let words = if output.stderr.is_empty() { &output.stdout } else { &output.stderr };
    String::from_utf8_lossy(words).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn install(folder: &Path, names: &[&str]) {
        fs::create_dir_all(folder).unwrap();
        for name in names {
            fs::write(folder.join(name), "").unwrap();
        }
    }

    #[test]
    fn a_folder_with_only_the_client_is_passed_over() {
        let temporary = tempfile::tempdir().unwrap();
        let (client, server) = (temporary.path().join("client"), temporary.path().join("server"));
        install(&client, &["psql", "initdb"]);
        install(&server, &NAMES);
        assert_eq!(find(&[client, server.clone()]), Some(server));
    }

    #[test]
    fn the_newest_version_comes_first() {
        let temporary = tempfile::tempdir().unwrap();
        for version in ["9", "17", "15", "common"] {
            install(&temporary.path().join(version).join("bin"), &NAMES);
        }
        let expected = ["17", "15", "9"].map(|version| temporary.path().join(version).join("bin"));
        assert_eq!(versions(temporary.path()), expected);
    }

    #[test]
    fn a_folder_that_does_not_exist_has_no_versions() {
        assert!(versions(Path::new("/does/not/exist")).is_empty());
    }
}
