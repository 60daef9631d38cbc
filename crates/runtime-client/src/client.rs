//! The port, and which module answers it.

use std::sync::Arc;

use async_trait::async_trait;
use nora_agents::RuntimeKind;
use nora_integrations::ports::{
    Applied, FailureClass, Health, Ledger, OwnedVariable, Push, PushError, RuntimeAddress, RuntimeClient,
};
use nora_kernel::Digest;
use nora_mcp_servers::ports::{DeployError, Deployment, DeploymentClient};
use nora_net_guard::{ClientError, Guard, GuardedClient};

use crate::failure;
use crate::hermes::Hermes;
use crate::nora::Nora;
use crate::openclaw::Openclaw;
use crate::sidecar::Sidecar;

/// Speaks to runtimes of every kind.
pub struct Runtimes {
    nora: Nora,
    sidecar: Sidecar,
    openclaw: Openclaw,
    hermes: Hermes,
}

impl Runtimes {
    /// Speaks to runtimes through `guard`, whose policy says where runtimes may live. `digest` is what values are
    /// recognised by that a runtime does not give back.
    ///
    /// # Errors
    ///
    /// The HTTP client could not be built.
    pub fn new(guard: Guard, digest: Arc<dyn Digest>) -> Result<Self, ClientError> {
        let client = GuardedClient::new(guard.clone())?;
        let sidecar = Sidecar::new(client.clone());
        Ok(Self {
            nora: Nora::new(client.clone()),
            sidecar: sidecar.clone(),
            openclaw: Openclaw::new(guard, Arc::clone(&digest), sidecar),
            hermes: Hermes::new(client, digest),
        })
    }

    /// Takes every MCP server away from a runtime that is to be emptied: each one holds credentials.
    async fn undeploy(&self, address: &RuntimeAddress, push: &Push) -> Result<(), PushError> {
        if push.undeploy.is_empty() {
            return Ok(());
        }
        let nothing = Deployment { agent: push.agent, servers: Vec::new(), dropped: push.undeploy.clone() };
        let failed = |DeployError { class, retry_after }| PushError::Failed { class, retry_after };
        self.deploy(address, &nothing).await.map_err(failed)
    }
}

#[async_trait]
impl RuntimeClient for Runtimes {
    async fn apply(&self, address: &RuntimeAddress, push: &Push, ledger: &dyn Ledger) -> Result<Applied, PushError> {
        self.undeploy(address, push).await?;
        match address.kind {
            RuntimeKind::Nora => self.nora.apply(address, push).await,
            RuntimeKind::Sidecar if address.gateway.is_none() => self.sidecar.apply(address, push).await,
            RuntimeKind::Sidecar | RuntimeKind::Openclaw => self.openclaw.apply(address, push, ledger).await,
            RuntimeKind::Hermes => self.hermes.apply(address, push, ledger).await,
        }
    }

    async fn health(&self, address: &RuntimeAddress, owned: &[OwnedVariable]) -> Result<Option<Health>, PushError> {
        match address.kind {
            RuntimeKind::Nora => self.nora.health(address).await.map(Some),
            RuntimeKind::Sidecar if address.gateway.is_none() => Ok(None),
            RuntimeKind::Sidecar | RuntimeKind::Openclaw => self.openclaw.health(address, owned).await,
            RuntimeKind::Hermes => self.hermes.health(address, owned).await,
        }
    }
}

#[async_trait]
impl DeploymentClient for Runtimes {
    async fn deploy(&self, address: &RuntimeAddress, deployment: &Deployment) -> Result<(), DeployError> {
        match address.kind {
            RuntimeKind::Nora => self.nora.deploy(address, deployment).await,
            RuntimeKind::Sidecar if address.gateway.is_none() => Err(DeployError::of(FailureClass::UnsupportedRuntime)),
            RuntimeKind::Sidecar | RuntimeKind::Openclaw => {
                self.openclaw.deploy(address, deployment).await.map_err(failure::of_deployment)
            }
            RuntimeKind::Hermes => self.hermes.deploy(address, deployment).await.map_err(failure::of_deployment),
        }
    }
}
