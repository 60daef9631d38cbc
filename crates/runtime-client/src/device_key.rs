//! The Ed25519 keys that gateways know this service by.

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
        device_key(&seed).ok_or_else(|| NoRandomness.into())
    }

    fn read(&self, seed: &Secret) -> Option<DeviceKey> {
        let mut bytes = Seed::default();
        hex::decode_to_slice(seed.expose(), bytes.as_mut()).ok()?;
        device_key(&bytes)
    }
}

fn device_key(seed: &Seed) -> Option<DeviceKey> {
    let pair = Ed25519KeyPair::from_seed_unchecked(seed.as_ref()).ok()?;
    let device_id = hex::encode(digest(&SHA256, pair.public_key().as_ref()));
    Some(DeviceKey { seed: Secret::new(hex::encode(seed.as_ref())), device_id })
}
