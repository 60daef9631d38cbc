//! The folder of one cluster, and how a later run knows that nobody owns it any more.
//!
//! Its `owner.pid` is locked for as long as the owning process lives. A pid alone would not do: the system gives the
//! pids of the dead away again.

use std::fs::{self, File, Permissions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::account::Account;

const PREFIX: &str = "nora-postgres-";
const OWNER: &str = "owner.pid";

/// A cluster's folder, ours while this lives.
pub(super) struct Scratch {
    path: PathBuf,
    _owner: File,
}

impl Scratch {
    /// Makes a folder in `parent` that `account` may enter but not change.
    pub(super) fn create(parent: &Path, account: Account) -> Result<Self> {
        let path = tempfile::Builder::new()
            .prefix(PREFIX)
            .tempdir_in(parent)
            .context("cannot make a temporary folder")?
            .keep();
        if let Account::Other { .. } = account {
            fs::set_permissions(&path, Permissions::from_mode(0o711)).context("cannot open the temporary folder")?;
        }
        let owner = claim(&path).context("cannot claim the temporary folder")?;
        Ok(Self { path, _owner: owner })
    }

    /// The folders in `parent` whose owners are dead, now ours.
    pub(super) fn abandoned(parent: &Path) -> Vec<Self> {
        let entries = fs::read_dir(parent).into_iter().flatten().flatten();
        entries
            .filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX))
            .filter_map(|entry| Self::adopt(entry.path()))
            .collect()
    }

    fn adopt(path: PathBuf) -> Option<Self> {
        let metadata = fs::symlink_metadata(&path).ok()?;
        // Anybody can make a folder with our prefix in a shared parent.
        if !metadata.is_dir() || metadata.uid() != rustix::process::geteuid().as_raw() {
            return None;
        }
        let owner = File::open(path.join(OWNER)).ok()?;
        owner.try_lock().ok()?;
        Some(Self { path, _owner: owner })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Makes a folder inside that belongs to `account` alone.
    pub(super) fn private_folder(&self, name: &str, account: Account) -> Result<PathBuf> {
        let path = self.path.join(name);
        fs::create_dir(&path).with_context(|| format!("cannot create {}", path.display()))?;
        hand_over(&path, 0o700, account)?;
        Ok(path)
    }

    /// Writes a file that `account` alone may read.
    pub(super) fn private_file(&self, name: &str, content: &str, account: Account) -> Result<PathBuf> {
        let path = self.path.join(name);
        let mut file = File::create_new(&path).with_context(|| format!("cannot create {}", path.display()))?;
        hand_over(&path, 0o600, account)?;
        file.write_all(content.as_bytes()).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    }

    pub(super) fn remove(&self) -> Result<()> {
        // The owner file goes last, so that a removal that is cut short is taken up by the next run.
        for entry in fs::read_dir(&self.path).context("cannot read the temporary folder")?.flatten() {
            let path = entry.path();
            if path.is_dir() {
                fs::remove_dir_all(&path).with_context(|| format!("cannot remove {}", path.display()))?;
            }
        }
        fs::remove_dir_all(&self.path).with_context(|| format!("cannot remove {}", self.path.display()))
    }
}

/// Locked before it gets its name: nobody can find it unlocked while its owner lives.
fn claim(folder: &Path) -> std::io::Result<File> {
    let unnamed = folder.join("owner.pid.new");
    let mut owner = File::create_new(&unnamed)?;
    owner.lock()?;
    writeln!(owner, "{}", std::process::id())?;
    fs::rename(&unnamed, folder.join(OWNER))?;
    Ok(owner)
}

fn hand_over(path: &Path, mode: u32, account: Account) -> Result<()> {
    fs::set_permissions(path, Permissions::from_mode(mode))
        .with_context(|| format!("cannot close {} to others", path.display()))?;
    if let Account::Other { user, group } = account {
        chown(path, Some(user), Some(group)).with_context(|| format!("cannot give {} away", path.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_folders_of_the_dead_are_abandoned() {
        let parent = tempfile::tempdir().unwrap();
        let living = Scratch::create(parent.path(), Account::Own).unwrap();
        let dead = Scratch::create(parent.path(), Account::Own).unwrap().path.clone();
        fs::create_dir(parent.path().join("somebody-elses")).unwrap();
        fs::create_dir(parent.path().join("nora-postgres-being-made")).unwrap();

        let abandoned: Vec<_> = Scratch::abandoned(parent.path()).into_iter().map(|scratch| scratch.path).collect();

        assert_eq!(abandoned, [dead]);
        assert!(living.path().exists());
    }

    #[test]
    fn nothing_is_left_after_removal() {
        let parent = tempfile::tempdir().unwrap();
        let scratch = Scratch::create(parent.path(), Account::Own).unwrap();
        let folder = scratch.private_folder("data", Account::Own).unwrap();
        fs::write(folder.join("file"), "content").unwrap();
        scratch.private_file("password", "secret", Account::Own).unwrap();

        scratch.remove().unwrap();

        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0);
    }

    #[test]
    fn private_things_are_closed_to_others() {
        let parent = tempfile::tempdir().unwrap();
        let scratch = Scratch::create(parent.path(), Account::Own).unwrap();
        let file = scratch.private_file("password", "secret", Account::Own).unwrap();
        let folder = scratch.private_folder("data", Account::Own).unwrap();
        assert_eq!(fs::metadata(file).unwrap().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(folder).unwrap().mode() & 0o777, 0o700);
    }
}
