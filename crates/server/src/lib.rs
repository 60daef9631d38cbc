#![doc = include_str!("../README.md")]

mod bootstrap;
mod builder;
mod cli;
mod demo;
mod error;
mod fail_point;
mod hardening;
mod intake;
mod jwt;
mod keyring;
mod metrics;
mod providers;
mod remote;
mod serve;
mod settings;
mod store;
mod system;
mod telemetry;
mod wiring;
mod workers;

pub use builder::Nora;
pub use error::StartError;
