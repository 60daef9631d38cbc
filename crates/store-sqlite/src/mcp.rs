//! The MCP servers of agents, and their redeploys.

mod claims;
mod outcomes;
mod read;
mod select;

use std::time::Duration;

use async_trait::async_trait;
use diesel::prelude::*;
use nora_integrations::ports::{Failure, Held};
use nora_kernel::audit::AuditLine;
use nora_kernel::{AgentId, ProviderId, Reach, TargetId, Timestamp, Unavailable};
use nora_mcp_servers::ports::{AgentServers, Completion, McpStore, RedeployClaim, RedeployStore};

use crate::SqliteStore;
use crate::audit::write_line;
use crate::failure::Ending;
use crate::reach::Within;
use crate::value::{Id, Time};

#[async_trait]
impl McpStore for SqliteStore {
    async fn find(&self, reach: &Reach, agent: AgentId) -> Result<Option<AgentServers>, Unavailable> {
        let reach = Within::from(reach);
        let read = move |connection: &mut SqliteConnection| -> Ending<_> {
            connection.transaction(|connection| read::find(connection, &reach, agent.into()))
        };
        self.read(read).await
    }

    async fn select(
        &self,
        reach: &Reach,
        agent: AgentId,
        providers: &[ProviderId],
        line: &AuditLine,
    ) -> Result<Option<AgentServers>, Unavailable> {
        let (reach, providers, line) = (Within::from(reach), providers.to_vec(), line.clone());
        self.write(move |transaction| select::select(transaction.connection, &reach, agent.into(), &providers, &line))
            .await
    }

    async fn opening(&self, line: &AuditLine) -> Result<(), Unavailable> {
        let line = line.clone();
        self.write(move |transaction| Ok(write_line(transaction.connection, &line)?)).await
    }
}

#[async_trait]
impl RedeployStore for SqliteStore {
    async fn request(&self, reach: &Reach, agent: AgentId, line: &AuditLine) -> Result<bool, Unavailable> {
        let (reach, line) = (Within::from(reach), line.clone());
        self.write(move |transaction| Ok(claims::request(transaction, &reach, agent.into(), &line)?)).await
    }

    async fn claim(&self, limit: u16, lease: Duration, now: Timestamp) -> Result<Vec<RedeployClaim>, Unavailable> {
        let lease = claims::Lease { owner: self.boot, until: Time(now.after(lease)) };
        self.write(move |transaction| claims::claim(transaction.connection, limit, lease, Time(now))).await
    }

    async fn renew(&self, claim: &RedeployClaim, until: Timestamp) -> Result<Held, Unavailable> {
        let claim = claim.clone();
        self.write(move |transaction| Ok(claims::renew(transaction.connection, &claim, Time(until))?)).await
    }

    async fn release(&self, claims: &[RedeployClaim]) -> Result<(), Unavailable> {
        let claims = claims.to_vec();
        self.write(move |transaction| {
            for claim in &claims {
                claims::release(transaction, claim)?;
            }
            Ok(())
        })
        .await
    }

    async fn snapshot(&self, claim: &RedeployClaim, line: &AuditLine) -> Result<Option<AgentServers>, Unavailable> {
        let (claim, line) = (claim.clone(), line.clone());
        self.write(move |transaction| read::snapshot(transaction.connection, &claim, &line)).await
    }

    async fn handing(
        &self,
        claim: &RedeployClaim,
        target: TargetId,
        servers: &[ProviderId],
    ) -> Result<Held, Unavailable> {
        let (claim, target, servers) = (claim.clone(), Id::from(target), servers.to_vec());
        self.write(move |transaction| Ok(outcomes::handing(transaction.connection, &claim, target, &servers)?)).await
    }

    async fn complete(&self, claim: &RedeployClaim, completion: &Completion) -> Result<Held, Unavailable> {
        let (claim, completion) = (claim.clone(), completion.clone());
        self.write(move |transaction| Ok(outcomes::complete(transaction, &claim, completion)?)).await
    }

    async fn fail(
        &self,
        claim: &RedeployClaim,
        failure: &Failure,
        target: Option<TargetId>,
    ) -> Result<Held, Unavailable> {
        let (claim, failure, target) = (claim.clone(), failure.clone(), target.map(Id::from));
        self.write(move |transaction| Ok(outcomes::fail(transaction, &claim, &failure, target)?)).await
    }

    async fn redeploy_changed(&self) {
        self.hub.redeploy().await;
    }

    async fn next_redeploy_due(&self) -> Result<Option<Timestamp>, Unavailable> {
        let boot = self.boot;
        self.read(move |connection| Ok(claims::next_due(connection, boot)?)).await
    }
}
