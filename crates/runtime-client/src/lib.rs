#![doc = include_str!("../README.md")]

mod body;
mod client;
mod device_key;
mod entry;
mod failure;
mod hermes;
mod http;
mod nora;
mod openclaw;
mod shown;
mod sidecar;
mod wiped;

pub use client::Runtimes;
pub use device_key::RingDeviceKeys;
