//! The last push and the last deployment, kept over a restart.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

/// Why a state file was not read or written.
#[derive(Debug, thiserror::Error)]
pub enum StateFileError {
    /// Somebody else may read it, and it holds credentials.
    #[error("the state file can be read by others: its mode must be 0600")]
    Permissions,
    /// It holds something else, or a part of a state.
    #[error("the state file does not hold a whole state")]
    Damaged,
    /// The file system failed.
    #[error("the state file cannot be read or written")]
    Io(#[from] io::Error),
}

/// A file of mode 0600 that holds a whole document or does not exist.
pub(crate) struct StateFile(PathBuf);

impl StateFile {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// The file for deployments beside the one for pushes.
    pub(crate) fn for_deployments(&self) -> Self {
        let mut name = self.0.clone().into_os_string();
        name.push(".deployment");
        Self(name.into())
    }

    /// Reads the document; `None` without a file.
    pub(crate) fn load<T>(&self, parse: impl FnOnce(&[u8]) -> Option<T>) -> Result<Option<T>, StateFileError> {
        let metadata = match fs::metadata(&self.0) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        if metadata.mode() & 0o077 != 0 {
            return Err(StateFileError::Permissions);
        }
        let json = Zeroizing::new(fs::read(&self.0)?);
        parse(&json).map(Some).ok_or(StateFileError::Damaged)
    }

    /// Replaces the file in one step: a crash leaves the old state or the new one.
    pub(crate) fn save(&self, json: Option<Zeroizing<Vec<u8>>>) -> Result<(), StateFileError> {
        let json = json.ok_or(StateFileError::Damaged)?;
        let directory = self.0.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut file =
            tempfile::Builder::new().permissions(fs::Permissions::from_mode(0o600)).tempfile_in(directory)?;
        file.write_all(&json)?;
        file.as_file().sync_all()?;
        file.persist(&self.0).map_err(|error| error.error)?;
        File::open(directory)?.sync_all()?;
        Ok(())
    }
}
