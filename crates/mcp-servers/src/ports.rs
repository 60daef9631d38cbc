//! What this crate needs from the outside.

mod client;

pub use client::{DeployError, DeployedServer, Deployment, DeploymentClient};
