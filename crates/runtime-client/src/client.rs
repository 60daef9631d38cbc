//! The port, and which module answers it.

use async_trait::async_trait;
use nora_agents::RuntimeKind;
use nora_integrations::ports::{Applied, FailureClass, Health, Push, PushError, RuntimeAddress, RuntimeClient};
use nora_mcp_servers::ports::{DeployError, Deployment, DeploymentClient};
use nora_net_guard::{ClientError, Guard, GuardedClient};

use crate::nora::Nora;

/// Speaks to runtimes of every kind.
pub struct Runtimes {
    nora: Nora,
}

impl Runtimes {
    /// Speaks to runtimes through `guard`, whose policy says where runtimes may live.
    ///
    /// # Errors
    ///
    /// The HTTP client could not be built.
    pub fn new(guard: Guard) -> Result<Self, ClientError> {
        Ok(Self { nora: Nora::new(GuardedClient::new(guard)?) })
    }
}

#[async_trait]
impl RuntimeClient for Runtimes {
    async fn apply(&self, address: &RuntimeAddress, push: &Push) -> Result<Applied, PushError> {
        match address.kind {
            RuntimeKind::Nora => self.nora.apply(address, push).await,
            RuntimeKind::Sidecar | RuntimeKind::Openclaw | RuntimeKind::Hermes => {
                Err(PushError::failed(FailureClass::UnsupportedRuntime))
            }
        }
    }

    async fn health(&self, address: &RuntimeAddress) -> Result<Option<Health>, PushError> {
        match address.kind {
            RuntimeKind::Nora => self.nora.health(address).await.map(Some),
            RuntimeKind::Sidecar | RuntimeKind::Openclaw | RuntimeKind::Hermes => {
                Err(PushError::failed(FailureClass::UnsupportedRuntime))
            }
        }
    }
}

#[async_trait]
impl DeploymentClient for Runtimes {
    async fn deploy(&self, address: &RuntimeAddress, deployment: &Deployment) -> Result<(), DeployError> {
        match address.kind {
            RuntimeKind::Nora => self.nora.deploy(address, deployment).await,
            RuntimeKind::Sidecar | RuntimeKind::Openclaw | RuntimeKind::Hermes => {
                Err(DeployError::of(FailureClass::UnsupportedRuntime))
            }
        }
    }
}
