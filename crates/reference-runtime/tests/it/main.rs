//! The runtime over its own socket.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod children;
mod deployment;
mod events;
mod faults;
mod inspection;
mod mcp;
mod program;
mod state_file;
mod support;
mod sync;
