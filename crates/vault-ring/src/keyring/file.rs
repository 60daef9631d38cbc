//! The keyring's file.

use std::fs::{self, File, Permissions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use tempfile::NamedTempFile;
use zeroize::Zeroizing;

use super::{ChangeError, KeyringFault, LoadError};

const LARGEST: usize = 64 * 1024;
const PRIVATE: u32 = 0o600;
const OTHERS: u32 = 0o077;
const PERMISSION_BITS: u32 = 0o7777;

pub(super) fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, LoadError> {
    let failed = |source| unreadable(path, source);
    // Asked before opening, which would wait forever on a named pipe.
    let found = fs::metadata(path).map_err(failed)?;
    if !found.is_file() {
        return Err(LoadError::NotAFile { path: path.to_owned() });
    }
    let file = File::open(path).map_err(failed)?;
    let mode = file.metadata().map_err(failed)?.mode() & PERMISSION_BITS;
    if mode & OTHERS != 0 {
        return Err(LoadError::Exposed { path: path.to_owned(), mode });
    }
    let content = read_all(file).map_err(failed)?;
    content.ok_or_else(|| LoadError::Invalid { path: path.to_owned(), source: KeyringFault::TooLarge })
}

fn unreadable(path: &Path, source: io::Error) -> LoadError {
    let path = path.to_owned();
    if source.kind() == io::ErrorKind::NotFound { LoadError::Missing { path } } else { LoadError::Io { path, source } }
}

/// The content, or `None` if there is too much of it. The buffer never grows, so no copy of a secret stays behind.
fn read_all(mut file: File) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    let mut content = Zeroizing::new(vec![0; LARGEST + 1]);
    let mut length = 0;
    while let Some(room) = content.get_mut(length..).filter(|room| !room.is_empty()) {
        match file.read(room) {
            Ok(0) => {
                content.truncate(length);
                return Ok(Some(content));
            }
            Ok(read) => length = length.saturating_add(read),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// Writes a file that must not exist yet.
pub(super) fn create(path: &Path, content: &[u8]) -> io::Result<()> {
    write_beside(path, content)?.persist_noclobber(path)?;
    flush_directory(path)
}

/// Puts new content in the place of the old one, whole.
pub(super) fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    write_beside(path, content)?.persist(path)?;
    flush_directory(path)
}

/// Keeps other writers out for as long as the result lives.
pub(super) fn lock(path: &Path) -> Result<File, ChangeError> {
    if fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink()) {
        return Err(ChangeError::SymbolicLink { path: path.to_owned() });
    }
    let file = File::open(path).map_err(|source| unreadable(path, source))?;
    lock_opened(path, file)
}

fn lock_opened(path: &Path, file: File) -> Result<File, ChangeError> {
    let failed = |source| ChangeError::Load(unreadable(path, source));
    let busy = || ChangeError::Busy { path: path.to_owned() };
    file.try_lock().map_err(|refused| match refused {
        TryLockError::WouldBlock => busy(),
        TryLockError::Error(error) => failed(error),
    })?;
    // Another writer may have put a new file there between opening and locking.
    let locked = file.metadata().map_err(failed)?;
    let current = fs::metadata(path).map_err(failed)?;
    if (locked.dev(), locked.ino()) == (current.dev(), current.ino()) { Ok(file) } else { Err(busy()) }
}

fn write_beside(path: &Path, content: &[u8]) -> io::Result<NamedTempFile> {
    let mut file = tempfile::Builder::new()
        .prefix(".keyring-")
        .permissions(Permissions::from_mode(PRIVATE))
        .tempfile_in(directory(path))?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
    Ok(file)
}

fn flush_directory(path: &Path) -> io::Result<()> {
    File::open(directory(path))?.sync_all()
}

fn directory(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_was_replaced_meanwhile_is_no_lock() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("vault.keyring");
        create(&path, b"old").unwrap();
        let opened = File::open(&path).unwrap();
        replace(&path, b"new").unwrap();
        assert!(matches!(lock_opened(&path, opened), Err(ChangeError::Busy { .. })));
        assert!(lock_opened(&path, File::open(&path).unwrap()).is_ok());
    }
}
