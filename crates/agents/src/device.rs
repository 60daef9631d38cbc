//! The device key that an agent's gateway knows this service by.

use nora_kernel::{AgentId, Caller, Unavailable};

use crate::ports::DeviceKey;
use crate::{Agents, TargetSecretsError};

/// The public half of an agent's device key: what an operator pairs with the gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceIdentity {
    /// The device id: lower-case hexadecimal SHA-256 of the raw public key.
    pub device_id: String,
    /// The raw Ed25519 public key, in base64url without padding.
    pub public_key: String,
}

/// Why the public half of a device key is not shown.
#[derive(Debug, thiserror::Error)]
pub enum FindDeviceError {
    /// There is no such agent for this caller.
    #[error("there is no such agent")]
    NotFound,
    /// The agent has no gateway, so no device key.
    #[error("this agent has no gateway")]
    NoGateway,
    /// The device key did not open.
    #[error(transparent)]
    Unreadable(#[from] TargetSecretsError),
    /// The store could not answer.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl Agents {
    /// The public half of the device key for an agent's gateway, read from the sealed key: so what is paired is what
    /// will sign.
    pub async fn device(&self, caller: &Caller, id: AgentId) -> Result<DeviceIdentity, FindDeviceError> {
        let stored = self.find(caller, id).await?.ok_or(FindDeviceError::NotFound)?;
        if stored.agent.gateway.is_none() {
            return Err(FindDeviceError::NoGateway);
        }
        let secrets = stored.target.open(self.vault.as_ref(), &stored.key).await?;
        let key = secrets.device_key.and_then(|seed| self.device_keys.read(&seed));
        let DeviceKey { public, .. } = key.ok_or(TargetSecretsError::Malformed)?;
        Ok(public)
    }
}
