//! The SDK as a provider and its callers use it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod attempt;
mod builtin;
mod handshakes;
mod hosts;
mod inbound;
mod jwt;
mod mcp;
mod parse;
mod probe;
mod receive;
mod schema;
mod steps;
mod support;
mod values;
mod webhook;
