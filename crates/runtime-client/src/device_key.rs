//! The Ed25519 keys that gateways know this service by.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use nora_agents::DeviceIdentity;
use nora_agents::ports::{DeviceKey, DeviceKeys};
use nora_kernel::{BoxError, Secret};
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom as _, SystemRandom};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use zeroize::Zeroizing;

type Seed = Zeroizing<[u8; 32]>;

/// The system's source of randomness failed.
#[derive(Debug, thiserror::Error)]
#[error("the system's source of randomness failed")]
struct NoRandomness;

/// Device keys by ring, from the system's source of randomness.
#[derive(Debug, Clone, Copy, Default)]
pub struct RingDeviceKeys;

impl DeviceKeys for RingDeviceKeys {
    fn generate(&self) -> Result<DeviceKey, BoxError> {
        let mut seed = Seed::default();
        SystemRandom::new().fill(seed.as_mut()).map_err(|_| NoRandomness)?;
        let seed = Secret::new(hex::encode(seed.as_ref()));
        self.read(&seed).ok_or_else(|| NoRandomness.into())
    }

    fn read(&self, seed: &Secret) -> Option<DeviceKey> {
        let public = identity(&key_pair(seed)?);
        Some(DeviceKey { seed: Secret::new(seed.expose().to_ascii_lowercase()), public })
    }
}

/// The pair with this seed: 64 hexadecimal digits. `None` if it is none.
pub(crate) fn key_pair(seed: &Secret) -> Option<Ed25519KeyPair> {
    let mut bytes = Seed::default();
    hex::decode_to_slice(seed.expose(), bytes.as_mut()).ok()?;
    Ed25519KeyPair::from_seed_unchecked(bytes.as_ref()).ok()
}

/// What a gateway knows a pair by.
pub(crate) fn identity(pair: &Ed25519KeyPair) -> DeviceIdentity {
    let public = pair.public_key().as_ref();
    DeviceIdentity { device_id: hex::encode(digest(&SHA256, public)), public_key: URL_SAFE_NO_PAD.encode(public) }
}
