//! The client against the reference runtime, and against peers that are none.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod deployment;
mod deployment_elsewhere;
mod device_key;
mod events;
mod failures;
mod gateways;
mod health;
mod hermes;
mod openclaw;
mod openclaw_refusals;
mod push;
mod sidecar;
mod support;
mod tls;
mod wire;
