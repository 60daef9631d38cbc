#![doc = include_str!("../README.md")]

mod client;
mod dial;
mod failure;
mod guard;
mod host;
mod resolver;
mod tls;

pub use client::{Answer, ClientError, GuardedClient, Limits};
pub use guard::Guard;
pub use nora_provider_sdk::Transport;
pub use resolver::{Resolver, SystemResolver};
pub use tls::{Tls, TlsError, install_default_provider};
