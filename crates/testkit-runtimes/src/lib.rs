#![doc = include_str!("../README.md")]
#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "a fake that is misused fails the test")]
#![expect(clippy::missing_panics_doc, reason = "everything here panics when a test is wrong")]

pub mod fixtures;
mod gateway;
mod hermes;
mod http;
mod journal;
mod sidecar;
mod tls;

pub use gateway::{Gateway, GatewaySettings, Reach};
pub use hermes::Hermes;
pub use journal::Journal;
pub use sidecar::Sidecar;
pub use tls::TlsFront;
