#![doc = include_str!("../README.md")]

mod client;
mod device_key;
mod failure;
mod json;
mod nora;
mod servers;

pub use client::Runtimes;
pub use device_key::RingDeviceKeys;
