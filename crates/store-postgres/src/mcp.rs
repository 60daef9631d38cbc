//! The MCP servers of agents, and their redeploys.

mod claim;
mod outcome;
mod read;
mod select;

use std::time::Duration;

use async_trait::async_trait;
use nora_integrations::ports::{Failure, Held};
use nora_kernel::audit::AuditLine;
use nora_kernel::{AgentId, ProviderId, Reach, TargetId, Timestamp, Unavailable};
use nora_mcp_servers::ports::{AgentServers, Completion, McpStore, RedeployClaim, RedeployStore};

use crate::store::PostgresStore;

#[async_trait]
impl McpStore for PostgresStore {
    async fn find(&self, reach: &Reach, agent: AgentId) -> Result<Option<AgentServers>, Unavailable> {
        Ok(read::find(self, reach, agent).await?)
    }

    async fn select(
        &self,
        reach: &Reach,
        agent: AgentId,
        providers: &[ProviderId],
        line: &AuditLine,
    ) -> Result<Option<AgentServers>, Unavailable> {
        Ok(select::select(self, reach, agent, providers, line).await?)
    }

    async fn opening(&self, line: &AuditLine) -> Result<(), Unavailable> {
        Ok(select::opening(self, line).await?)
    }
}

#[async_trait]
impl RedeployStore for PostgresStore {
    async fn request(&self, reach: &Reach, agent: AgentId, line: &AuditLine) -> Result<bool, Unavailable> {
        Ok(claim::request(self, reach, agent, line).await?)
    }

    async fn claim(&self, limit: u16, lease: Duration, now: Timestamp) -> Result<Vec<RedeployClaim>, Unavailable> {
        Ok(claim::claim(self, limit, lease, now).await?)
    }

    async fn renew(&self, claim: &RedeployClaim, until: Timestamp) -> Result<Held, Unavailable> {
        Ok(claim::renew(self, claim, until).await?)
    }

    async fn release(&self, claims: &[RedeployClaim]) -> Result<(), Unavailable> {
        Ok(claim::release(self, claims).await?)
    }

    async fn snapshot(&self, claim: &RedeployClaim, line: &AuditLine) -> Result<Option<AgentServers>, Unavailable> {
        Ok(read::snapshot(self, claim, line).await?)
    }

    async fn handing(
        &self,
        claim: &RedeployClaim,
        target: TargetId,
        servers: &[ProviderId],
    ) -> Result<Held, Unavailable> {
        Ok(outcome::handing(self, claim, target, servers).await?)
    }

    async fn complete(&self, claim: &RedeployClaim, completion: &Completion) -> Result<Held, Unavailable> {
        Ok(outcome::complete(self, claim, completion).await?)
    }

    async fn fail(
        &self,
        claim: &RedeployClaim,
        failure: &Failure,
        target: Option<TargetId>,
    ) -> Result<Held, Unavailable> {
        Ok(outcome::fail(self, claim, failure, target).await?)
    }

    async fn redeploy_changed(&self) {
        self.signals.redeploy().await;
    }

    async fn next_redeploy_due(&self) -> Result<Option<Timestamp>, Unavailable> {
        Ok(claim::next_due(self).await?)
    }
}
