//! The database file: who may read it, and that no other process has it.

use std::fs::{File, OpenOptions, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use crate::OpenError;

/// Read and written by its owner, and by nobody else.
const PRIVATE: u32 = 0o600;

/// The file of a database, locked for this process until it is dropped.
#[derive(Debug)]
pub(crate) struct LockedFile {
    path: PathBuf,
    /// A file beside the database. Closing the database file itself would drop the locks SQLite holds on it.
    _lock: File,
}

impl LockedFile {
    /// Makes the file if there is none, takes it from everybody but its owner, and locks it.
    pub(crate) fn open(path: &Path) -> Result<Self, OpenError> {
        private(path).map_err(OpenError::File)?;
        // However the file is called, there is one lock for it.
        let path = path.canonicalize().map_err(OpenError::File)?;
        let mut beside = path.clone().into_os_string();
        beside.push(".lock");
        let lock = private(Path::new(&beside)).map_err(OpenError::File)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path, _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(OpenError::InUse),
            Err(TryLockError::Error(error)) => Err(OpenError::File(error)),
        }
    }

    pub(crate) fn url(&self) -> Result<&str, OpenError> {
        self.path.to_str().ok_or(OpenError::Path)
    }
}

fn private(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(PRIVATE).open(path)?;
    if file.metadata()?.permissions().mode() & 0o777 != PRIVATE {
        file.set_permissions(Permissions::from_mode(PRIVATE))?;
    }
    Ok(file)
}
