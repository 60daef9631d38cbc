//! Push targets: an agent's runtime at one address, with what opens it.

use nora_kernel::address::Endpoint;
use nora_kernel::{
    AgentId, BoxError, OpenError, SealContext, SealError, Sealed, Secret, TargetId, Vault, Workspace, WrappedKey,
};
use zeroize::Zeroizing;

use crate::RuntimeKind;

/// The table the secrets of a target are sealed for.
pub const TARGET_TABLE: &str = "sync_targets";
/// The column the secrets of a target are sealed for.
pub const TARGET_COLUMN: &str = "secrets";

/// An agent's runtime at one address.
///
/// An agent has one live target. When its address changes or the agent is deleted, the target is retired: it is
/// pushed the empty set until it confirms, and forgotten then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The target's id.
    pub id: TargetId,
    /// The agent it belongs to, or belonged to.
    pub agent: AgentId,
    /// The agent's workspace.
    pub workspace: Workspace,
    /// How the runtime is spoken to.
    pub kind: RuntimeKind,
    /// Where the runtime listens.
    pub url: Option<Endpoint>,
    /// Where its gateway listens.
    pub gateway: Option<Endpoint>,
    /// The id of the device key for the gateway.
    pub device_id: Option<String>,
    /// The sealed [`RuntimeSecrets`].
    pub secrets: Sealed,
    /// Counts the values `secrets` has had.
    pub secrets_version: u64,
}

/// A target to be stored.
pub type NewTarget = Target;

impl Target {
    /// Where this target's secrets belong.
    pub fn context(&self) -> SealContext {
        context(&self.workspace, self.agent, self.id, self.secrets_version)
    }

    /// Opens the target's secrets.
    pub async fn open(&self, vault: &dyn Vault, key: &WrappedKey) -> Result<RuntimeSecrets, TargetSecretsError> {
        let plaintext = vault.open(key, &self.context(), &self.secrets).await.map_err(TargetSecretsError::Open)?;
        RuntimeSecrets::from_bytes(&plaintext).ok_or(TargetSecretsError::Malformed)
    }
}

pub(crate) fn context(workspace: &Workspace, agent: AgentId, target: TargetId, version: u64) -> SealContext {
    SealContext {
        table: TARGET_TABLE,
        column: TARGET_COLUMN,
        workspace: workspace.clone(),
        agent,
        row: target.as_uuid(),
        version,
    }
}

/// Why a target's secrets were not opened.
#[derive(Debug, thiserror::Error)]
pub enum TargetSecretsError {
    /// The vault did not open them.
    #[error("the runtime's credentials did not open")]
    Open(#[source] OpenError),
    /// They opened to something that is not theirs.
    #[error("the runtime's credentials are malformed")]
    Malformed,
}

impl TargetSecretsError {
    /// Whether they may open another time: the vault could not answer.
    pub const fn may_open_later(&self) -> bool {
        matches!(self, Self::Open(OpenError::Unavailable(_)))
    }
}

/// What opens a runtime and its gateway.
#[derive(Debug, Default)]
pub struct RuntimeSecrets {
    /// The runtime's bearer token.
    pub token: Option<Secret>,
    /// The gateway's shared secret.
    pub gateway_token: Option<Secret>,
    /// The seed of the Ed25519 device key, in lower-case hexadecimal.
    pub device_key: Option<Secret>,
}

impl RuntimeSecrets {
    /// Seals the secrets for a target.
    pub async fn seal(&self, vault: &dyn Vault, key: &WrappedKey, context: &SealContext) -> Result<Sealed, SealError> {
        vault.seal(key, context, &self.to_bytes().map_err(SealError::Unavailable)?).await
    }

    /// Three length-prefixed parts; a missing one has the length `u32::MAX`.
    fn to_bytes(&self) -> Result<Zeroizing<Vec<u8>>, BoxError> {
        let parts = [&self.token, &self.gateway_token, &self.device_key];
        let size: usize = parts.iter().map(|part| 4 + part.as_ref().map_or(0, |part| part.expose().len())).sum();
        let mut bytes = Zeroizing::new(Vec::with_capacity(size));
        for part in parts {
            let text = part.as_ref().map(Secret::expose);
            let length = text.map_or(Ok(u32::MAX), |text| u32::try_from(text.len()))?;
            bytes.extend_from_slice(&length.to_be_bytes());
            bytes.extend_from_slice(text.unwrap_or_default().as_bytes());
        }
        Ok(bytes)
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (token, rest) = take_part(bytes)?;
        let (gateway_token, rest) = take_part(rest)?;
        let (device_key, rest) = take_part(rest)?;
        rest.is_empty().then_some(Self { token, gateway_token, device_key })
    }
}

fn take_part(bytes: &[u8]) -> Option<(Option<Secret>, &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let length = u32::from_be_bytes(*length);
    if length == u32::MAX {
        return Some((None, rest));
    }
    let (text, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    let text = std::str::from_utf8(text).ok()?;
    Some((Some(Secret::new(text.to_owned())), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_back(secrets: &RuntimeSecrets) -> RuntimeSecrets {
        RuntimeSecrets::from_bytes(&secrets.to_bytes().unwrap()).unwrap()
    }

    #[test]
    fn an_absent_secret_is_not_an_empty_one() {
        let secrets = RuntimeSecrets { token: Some(Secret::new(String::new())), ..RuntimeSecrets::default() };
        let read = read_back(&secrets);
        assert!(read.token.is_some_and(|token| token.is_empty()));
        assert!(read.gateway_token.is_none() && read.device_key.is_none());
    }

    #[test]
    fn truncated_bytes_are_nothing() {
        let secrets = RuntimeSecrets { token: Some(Secret::new("abc".to_owned())), ..RuntimeSecrets::default() };
        let bytes = secrets.to_bytes().unwrap();
        assert_eq!(read_back(&secrets).token.unwrap().expose(), "abc");
        for length in 0..bytes.len() {
            assert!(RuntimeSecrets::from_bytes(&bytes[..length]).is_none(), "{length}");
        }
    }
}
