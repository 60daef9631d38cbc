#![doc = include_str!("../README.md")]

mod body;
mod client;
mod device_key;
mod entry;
mod events;
mod failure;
mod hermes;
mod http;
mod json;
mod nora;
mod openclaw;
mod servers;
mod shown;
mod sidecar;

pub use client::Runtimes;
pub use device_key::RingDeviceKeys;
pub use events::RuntimeEvents;
