//! How a runtime is handed its MCP servers.

use std::time::Duration;

use async_trait::async_trait;
use nora_integrations::ports::{FailureClass, RuntimeAddress};
use nora_kernel::{AgentId, IntegrationId, ProviderId};
use nora_provider_sdk::manifest::ResolvedMcp;

/// The MCP servers of an agent with their credentials: the whole set, never a change.
#[derive(Debug)]
pub struct Deployment {
    /// The agent.
    pub agent: AgentId,
    /// The servers, in the order of their names.
    pub servers: Vec<DeployedServer>,
    /// Servers that earlier deployments may have left at this runtime and this one does not have, in the order of
    /// their names. A runtime that replaces its whole set has no use for them.
    pub dropped: Vec<ProviderId>,
}

/// One server of a deployment.
#[derive(Debug)]
pub struct DeployedServer {
    /// Its name at the runtime: the provider's id.
    pub name: ProviderId,
    /// The integration that feeds it.
    pub integration: IntegrationId,
    /// How it is started or reached, with the values it declares and no others.
    pub how: ResolvedMcp,
}

/// Why a deployment was not confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the deployment failed: {}", .class.as_str())]
pub struct DeployError {
    /// The class of the failure.
    pub class: FailureClass,
    /// How long the runtime asked to wait.
    pub retry_after: Option<Duration>,
}

impl DeployError {
    /// A failure of this class.
    pub const fn of(class: FailureClass) -> Self {
        Self { class, retry_after: None }
    }
}

/// Hands deployments to runtimes of every kind.
///
/// Every call ends in bounded time. Handing the same deployment over again is harmless.
#[async_trait]
pub trait DeploymentClient: Send + Sync {
    /// Replaces the MCP servers this service has given the runtime.
    ///
    /// # Errors
    ///
    /// The runtime did not confirm the deployment as a whole; it may have applied it all the same.
    /// [`FailureClass::UnsupportedRuntime`] for a kind of runtime that takes none.
    async fn deploy(&self, address: &RuntimeAddress, deployment: &Deployment) -> Result<(), DeployError>;
}
