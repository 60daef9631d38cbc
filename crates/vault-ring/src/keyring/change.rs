//! Rotation: add, promote, retire. Each step is one atomic rewrite of the file.

use std::path::Path;

use nora_kernel::{Entropy, Timestamp};

use super::{ChangeError, Kek, KekId, Keyring, file, format};

impl Keyring {
    /// Adds a new key that opens and does not seal yet, and returns its id.
    ///
    /// Every process must have loaded it before it is promoted, or one would meet a key it does not know.
    pub fn add_key(path: &Path, entropy: &dyn Entropy, now: Timestamp) -> Result<KekId, ChangeError> {
        let kek = Kek::random(entropy, now).map_err(ChangeError::Generator)?;
        let id = kek.id;
        Self::change(path, |keyring| {
            keyring.decrypt_only.push(kek);
            Ok(())
        })?;
        Ok(id)
    }

    /// Makes a key the active one. The one that was active opens from now on and seals no more.
    ///
    /// # Errors
    ///
    /// [`ChangeError::Active`] and [`ChangeError::Retired`] if the key is in that state.
    pub fn promote(path: &Path, id: KekId) -> Result<(), ChangeError> {
        Self::change(path, |keyring| {
            let waiting = keyring.take_decrypt_only(id)?;
            let former = std::mem::replace(&mut keyring.active, waiting);
            keyring.decrypt_only.push(former);
            Ok(())
        })
    }

    /// Takes a key out of use. `uses` is how many stored values are still wrapped with it, the check value included.
    ///
    /// # Errors
    ///
    /// [`ChangeError::InUse`] unless `uses` is zero: those values would be lost. [`ChangeError::Active`] and
    /// [`ChangeError::Retired`] if the key is in that state.
    pub fn retire(path: &Path, id: KekId, uses: u64) -> Result<(), ChangeError> {
        Self::change(path, |keyring| {
            let kek = keyring.take_decrypt_only(id)?;
            if uses > 0 {
                return Err(ChangeError::InUse { id, uses });
            }
            keyring.retired.push(kek);
            Ok(())
        })
    }

    fn change(path: &Path, edit: impl FnOnce(&mut Self) -> Result<(), ChangeError>) -> Result<(), ChangeError> {
        let _lock = file::lock(path)?;
        let mut keyring = Self::load(path)?;
        edit(&mut keyring)?;
        let failed = |source| ChangeError::Io { path: path.to_owned(), source };
        file::replace(path, &format::render(&keyring).map_err(failed)?).map_err(failed)
    }

    fn take_decrypt_only(&mut self, id: KekId) -> Result<Kek, ChangeError> {
        match self.decrypt_only.iter().position(|kek| kek.id == id) {
            Some(position) => Ok(self.decrypt_only.remove(position)),
            None if self.active.id == id => Err(ChangeError::Active(id)),
            None if self.retired.iter().any(|kek| kek.id == id) => Err(ChangeError::Retired(id)),
            None => Err(ChangeError::UnknownKey(id)),
        }
    }
}
