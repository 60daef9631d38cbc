#![doc = include_str!("../README.md")]

mod config;
mod deployment;
mod digest;
mod event;
pub mod faults;
mod handle;
mod mcp;
mod push;
mod routes;
mod runtime;
mod state;
mod state_file;
mod text;

pub use config::Config;
pub use deployment::Deployment;
pub use event::Event;
pub use handle::Handle;
pub use mcp::{McpReport, McpServerReport, McpServerState};
pub use push::AppliedPush;
pub use runtime::{RunningRuntime, StartError};
pub use state_file::StateFileError;
