//! What this crate needs from the outside.

mod client;
mod redeploys;
mod store;

pub use client::{DeployError, DeployedServer, Deployment, DeploymentClient};
pub use redeploys::{Completion, RedeployClaim, RedeployStore};
pub use store::{AgentServers, Deployed, McpStore, Redeploy};
