#![doc = include_str!("../README.md")]

mod check;
mod context;
mod data_key;
mod digest;
mod entropy;
mod envelope;
mod key_bytes;
mod keyring;
mod vault;

pub use check::{RewrapCheckError, WrongKeyring};
pub use digest::RingDigest;
pub use entropy::{GeneratorFailed, SystemEntropy};
pub use keyring::{
    ChangeError, GenerateError, InvalidKekId, KekId, KeyState, KeyStatus, Keyring, KeyringFault, LineFault, LoadError,
};
pub use vault::RingVault;
