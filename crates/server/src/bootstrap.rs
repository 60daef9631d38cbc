//! The first key of an installation.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use nora_access::{Authenticator, Keys};
use nora_kernel::Secret;
use zeroize::Zeroizing;

use crate::StartError;

/// The file the first key is written to.
pub(crate) fn key_path(data_dir: &Path) -> PathBuf {
    data_dir.join("bootstrap-key")
}

/// Makes the first `admin` key if there is no key at all, and leaves it in `bootstrap-key`.
///
/// The key is durable under another name before it is stored, and gets its own name afterwards. A start that died in
/// between left a good key under the other name, which is tried first.
pub(crate) async fn ensure_first_key(
    keys: &Keys,
    authenticator: &Authenticator,
    data_dir: &Path,
) -> Result<(), StartError> {
    let path = key_path(data_dir);
    let new = data_dir.join("bootstrap-key.new");
    if let Ok(left) = std::fs::read_to_string(&new).map(Zeroizing::new)
        && authenticator.authenticate(left.trim()).await.is_ok()
    {
        return publish(&new, &path);
    }
    let kept = keys.bootstrap(|key| Ok(write_secret(&new, key)?)).await;
    if kept.map_err(|error| StartError::because("the first API key was not made", error))? {
        publish(&new, &path)
    } else {
        std::fs::remove_file(&new).map_err(|error| StartError::because("a key that counts for nothing stays", error))
    }
}

fn publish(new: &Path, path: &Path) -> Result<(), StartError> {
    let refused = |error| StartError::because(format!("{} was not written", path.display()), error);
    std::fs::rename(new, path).and_then(|()| sync_directory(path)).map_err(refused)?;
    tracing::info!(path = %path.display(), "made the first API key; it is in this file");
    Ok(())
}

/// Writes a secret to a file only its owner can read, and makes it durable.
pub(crate) fn write_secret(path: &Path, secret: &Secret) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(secret.expose().as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    sync_directory(path)
}

fn sync_directory(path: &Path) -> std::io::Result<()> {
    path.parent().map_or(Ok(()), |directory| File::open(directory)?.sync_all())
}

/// Creates the data directory, readable by its owner alone.
pub(crate) fn ensure_data_dir(path: &Path) -> Result<(), StartError> {
    use std::os::unix::fs::DirBuilderExt as _;
    let refused = |error| StartError::because(format!("the data directory {} cannot be used", path.display()), error);
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(refused)
}

/// Warns of what is fine on a developer's machine and not on a server.
pub(crate) fn warn_if_exposed(settings: &crate::settings::Settings) {
    if !settings.is_exposed() {
        return;
    }
    let path = key_path(&settings.data_dir);
    if path.exists() {
        tracing::warn!(path = %path.display(), "the API is reachable from elsewhere while the bootstrap key lies in this file; make a key of your own and remove it");
    }
    if settings.vault_keyring.starts_with(&settings.data_dir) {
        tracing::warn!(
            "the keyring lies in the data directory: whoever copies that directory has both the secrets and their key"
        );
    }
}
