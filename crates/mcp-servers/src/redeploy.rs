//! One step of a redeploy: hand one runtime what it should have.

use std::sync::Arc;
use std::time::Duration;

use nora_integrations::backoff;
use nora_integrations::ports::{Failure, FailureClass, Held, RuntimeAddress};
use nora_kernel::{Digest, Entropy, ProviderId, TargetId, Unavailable};

use crate::ports::{
    AgentServers, Completion, DeployError, DeployedServer, Deployment, DeploymentClient, RedeployClaim, RedeployStore,
};
use crate::resolve::{ResolveError, Resolver};
use crate::{Parts, digest};

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RedeployStep {
    /// The runtime confirmed the deployment.
    Applied,
    /// The runtime had confirmed the very deployment while this redeploy waited.
    Unneeded,
    /// It failed and is due again later, or waits to be asked for.
    Failed(FailureClass),
    /// Another worker has the redeploy now. Nothing was recorded.
    LeaseLost,
}

/// Does redeploys, one claim at a time.
#[derive(Clone)]
pub struct Redeployer {
    store: Arc<dyn RedeployStore>,
    digest: Arc<dyn Digest>,
    resolver: Resolver,
    client: Arc<dyn DeploymentClient>,
    entropy: Arc<dyn Entropy>,
}

/// What is to be handed to whom.
struct Prepared {
    address: RuntimeAddress,
    deployment: Deployment,
    digest: [u8; 32],
}

impl Redeployer {
    /// Joins the parts with what speaks to runtimes, and with chance.
    pub fn new(parts: Parts, client: Arc<dyn DeploymentClient>, entropy: Arc<dyn Entropy>) -> Self {
        let Parts { catalog, redeploys, sync, vault, digest, ids, clock, .. } = parts;
        Self { store: redeploys, digest, resolver: Resolver { catalog, sync, vault, ids, clock }, client, entropy }
    }

    /// Does what a claim asks for and records how it ended.
    ///
    /// Dropping the future at any point is safe: the lease runs out and the work is done again.
    pub async fn run(&self, claim: &RedeployClaim) -> Result<RedeployStep, Unavailable> {
        let line = self.resolver.lines().opened(&claim.workspace, claim.agent);
        let Some(snapshot) = self.store.snapshot(claim, &line).await? else { return Ok(RedeployStep::LeaseLost) };
        let target = snapshot.target.id;
        let prepared = match self.prepare(claim, &snapshot).await? {
            Ok(prepared) => prepared,
            Err(class) => return self.fail(claim, DeployError::of(class), None).await,
        };
        let servers = names(&prepared.deployment.servers);
        if claim.is_repeated && snapshot.deployed.digest == Some(prepared.digest) {
            let held = self.complete(claim, target, &prepared, servers).await?;
            return Ok(step(held, RedeployStep::Unneeded));
        }
        if self.store.handing(claim, target, &servers).await? == Held::No {
            // The agent may have moved since: whoever claims the redeploy next finds it where it lives now.
            self.store.release(std::slice::from_ref(claim)).await?;
            return Ok(RedeployStep::LeaseLost);
        }
        match self.client.deploy(&prepared.address, &prepared.deployment).await {
            Ok(()) => {
                let held = self.complete(claim, target, &prepared, servers).await?;
                Ok(step(held, RedeployStep::Applied))
            }
            Err(error) => self.fail(claim, error, Some(target)).await,
        }
    }

    async fn prepare(
        &self,
        claim: &RedeployClaim,
        snapshot: &AgentServers,
    ) -> Result<Result<Prepared, FailureClass>, Unavailable> {
        let secrets = match snapshot.target.open(self.resolver.vault.as_ref(), &snapshot.key).await {
            Ok(secrets) => secrets,
            Err(error) if error.may_open_later() => return Ok(Err(FailureClass::Internal)),
            Err(_) => return Ok(Err(FailureClass::Unreadable)),
        };
        let servers = match self.resolver.resolve(snapshot).await {
            Ok(resolved) => resolved.servers,
            Err(ResolveError::Vault(_)) => return Ok(Err(FailureClass::Internal)),
            Err(ResolveError::Unavailable(error)) => return Err(error),
        };
        let digest = digest::keyed(self.digest.as_ref(), &servers);
        let is_gone = |name: &&ProviderId| !servers.iter().any(|server| server.name == **name);
        let dropped = snapshot.deployed.servers.iter().filter(is_gone).cloned().collect();
        let deployment = Deployment { agent: claim.agent, servers, dropped };
        Ok(Ok(Prepared { address: RuntimeAddress::of(&snapshot.target, secrets), deployment, digest }))
    }

    async fn complete(
        &self,
        claim: &RedeployClaim,
        target: TargetId,
        prepared: &Prepared,
        servers: Vec<ProviderId>,
    ) -> Result<Held, Unavailable> {
        let completion = Completion { target, digest: prepared.digest, servers, at: self.resolver.clock.now() };
        self.store.complete(claim, &completion).await
    }

    async fn fail(
        &self,
        claim: &RedeployClaim,
        error: DeployError,
        target: Option<TargetId>,
    ) -> Result<RedeployStep, Unavailable> {
        let DeployError { class, retry_after } = error;
        let at = self.resolver.clock.now();
        let next_attempt_at = (!class.is_permanent()).then(|| at.after(self.wait(claim.attempt, retry_after)));
        let held = self.store.fail(claim, &Failure { class, at, next_attempt_at }, target).await?;
        Ok(step(held, RedeployStep::Failed(class)))
    }

    fn wait(&self, attempt: u32, asked: Option<Duration>) -> Duration {
        let mut byte = [0];
        // Without randomness nothing is spread, and nothing else is lost.
        let chance = self.entropy.fill(&mut byte).map_or(0, |()| u8::from_be_bytes(byte));
        backoff(attempt, asked, chance)
    }
}

fn names(servers: &[DeployedServer]) -> Vec<ProviderId> {
    servers.iter().map(|server| server.name.clone()).collect()
}

fn step(held: Held, done: RedeployStep) -> RedeployStep {
    match held {
        Held::Yes => done,
        Held::No => RedeployStep::LeaseLost,
    }
}
