//! Sealing and opening an integration's secrets: one blob for the whole map.

use nora_kernel::{FieldName, OpenError, Secret, SecretMap, Vault, WrappedKey};
use zeroize::Zeroizing;

use crate::StoredIntegration;

/// Why an integration's secrets were not opened.
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    /// They do not open in their context, or opened to something that is not theirs.
    #[error("the integration's secrets do not open")]
    Unreadable,
    /// The vault could not answer; they may still be good.
    #[error("the vault is unavailable")]
    Unavailable(#[source] nora_kernel::BoxError),
}

impl StoredIntegration {
    /// Opens the secrets.
    pub async fn open(&self, vault: &dyn Vault, key: &WrappedKey) -> Result<SecretMap, SecretsError> {
        let Some(sealed) = &self.secrets else { return Ok(SecretMap::new()) };
        let plaintext = vault.open(key, &self.context(), sealed).await.map_err(|error| match error {
            OpenError::Unreadable => SecretsError::Unreadable,
            OpenError::Unavailable(source) => SecretsError::Unavailable(source),
        })?;
        decode(&plaintext).ok_or(SecretsError::Unreadable)
    }
}

/// Writes field, zero byte, length and secret for each entry. A JSON text would leave copies in a growing buffer.
pub(crate) fn encode(secrets: &SecretMap) -> Option<Zeroizing<Vec<u8>>> {
    let size = secrets.iter().map(|(field, secret)| field.as_str().len() + 5 + secret.expose().len()).sum();
    let mut bytes = Zeroizing::new(Vec::with_capacity(size));
    for (field, secret) in secrets.iter() {
        bytes.extend_from_slice(field.as_str().as_bytes());
        bytes.push(0);
        bytes.extend_from_slice(&u32::try_from(secret.expose().len()).ok()?.to_be_bytes());
        bytes.extend_from_slice(secret.expose().as_bytes());
    }
    Some(bytes)
}

fn decode(mut bytes: &[u8]) -> Option<SecretMap> {
    let mut secrets = SecretMap::new();
    while !bytes.is_empty() {
        let end = bytes.iter().position(|byte| *byte == 0)?;
        let (field, rest) = bytes.split_at_checked(end)?;
        let (length, rest) = rest.get(1..)?.split_first_chunk::<4>()?;
        let (secret, rest) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
        let field: FieldName = std::str::from_utf8(field).ok()?.parse().ok()?;
        secrets.insert(field, Secret::new(std::str::from_utf8(secret).ok()?.to_owned()));
        bytes = rest;
    }
    Some(secrets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_survive_and_nothing_shorter_does() {
        let entries = [("a", "one"), ("token", "line\nline\0end"), ("z_9", "")];
        let secrets: SecretMap =
            entries.iter().map(|(field, text)| (field.parse().unwrap(), Secret::new((*text).to_owned()))).collect();
        let bytes = encode(&secrets).unwrap();
        let read = decode(&bytes).unwrap();
        for (field, text) in entries {
            assert_eq!(read.get(field).unwrap().expose(), text);
        }
        assert_eq!(read.len(), 3);
        let whole: Vec<usize> = vec![0, 1 + 5 + 3, 1 + 5 + 3 + 5 + 5 + 13];
        for length in (0..bytes.len()).filter(|length| !whole.contains(length)) {
            assert!(decode(&bytes[..length]).is_none(), "{length}");
        }
    }
}
