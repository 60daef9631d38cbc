//! MCP servers and redeploys in memory.

use std::collections::BTreeSet;
use std::time::Duration;

use async_trait::async_trait;
use nora_integrations::StoredIntegration;
use nora_integrations::ports::{Failure, FailureClass, Held};
use nora_kernel::audit::AuditLine;
use nora_kernel::{AgentId, ProviderId, Reach, TargetId, Timestamp, Unavailable};
use nora_mcp_servers::ports::{AgentServers, Completion, Deployed, McpStore, Redeploy, RedeployClaim, RedeployStore};

use super::integrations::newest_first;
use super::{InMemory, State};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Nothing,
    Once,
    /// Once more, if the runtime holds another deployment by then.
    Repeated,
}

#[derive(Clone)]
pub(super) struct RedeployRecord {
    wanted: Wanted,
    again: bool,
    attempt: u32,
    blocked: bool,
    next_attempt_at: Timestamp,
    fence: i64,
    lease_until: Option<Timestamp>,
    failure: Option<(FailureClass, Timestamp)>,
}

impl RedeployRecord {
    fn new(now: Timestamp) -> Self {
        Self {
            wanted: Wanted::Nothing,
            again: false,
            attempt: 0,
            blocked: false,
            next_attempt_at: now,
            fence: 0,
            lease_until: None,
            failure: None,
        }
    }

    fn ask(&mut self, now: Timestamp) {
        if self.lease_until.is_some_and(|until| until > now) {
            self.again = true;
        } else {
            self.wanted = Wanted::Once;
            self.attempt = 0;
            self.blocked = false;
            self.next_attempt_at = now;
        }
    }

    fn due(&self) -> Option<Timestamp> {
        (self.wanted != Wanted::Nothing && !self.blocked).then_some(self.next_attempt_at)
    }

    /// When it can be claimed next.
    fn free_at(&self) -> Option<Timestamp> {
        self.due().map(|due| self.lease_until.map_or(due, |until| due.max(until)))
    }

    fn view(&self) -> Redeploy {
        let next_attempt_at = self.due();
        let last_failure = self.failure.map(|(class, at)| Failure { class, at, next_attempt_at });
        Redeploy { is_pending: self.wanted != Wanted::Nothing, next_attempt_at, last_failure }
    }
}

impl State {
    /// Ends the selection of a provider whose last integration is gone.
    pub(super) fn end_selection(&mut self, agent: AgentId, provider: &ProviderId) {
        if !self.of_agent(agent).any(|stored| stored.integration.provider == *provider) {
            self.selections.remove(&(agent, provider.clone()));
        }
    }

    fn servers(&self, agent: AgentId) -> Option<AgentServers> {
        let target = self.live_target(agent)?.target.clone();
        let selected = self.selections.iter().filter(|(of, _)| *of == agent).map(|(_, provider)| provider.clone());
        let deployed = self.deployments.get(&target.id).cloned().unwrap_or_default();
        Some(AgentServers {
            key: self.agents.get(&agent)?.key.clone(),
            selected: selected.collect(),
            integrations: newest_first(self, agent).into_iter().rev().cloned().collect(),
            deployed,
            redeploy: self.redeploys.get(&agent).map(RedeployRecord::view).unwrap_or_default(),
            target,
        })
    }

    fn select(&mut self, agent: AgentId, providers: &[ProviderId]) {
        let readable = |stored: &&StoredIntegration| stored.integration.readable;
        let fed = self.of_agent(agent).filter(readable).map(|stored| stored.integration.provider.clone());
        let fed: BTreeSet<ProviderId> = fed.filter(|provider| providers.contains(provider)).collect();
        self.selections.retain(|(of, _)| *of != agent);
        self.selections.extend(fed.into_iter().map(|provider| (agent, provider)));
    }

    fn held_redeploy(&mut self, claim: &RedeployClaim) -> Option<&mut RedeployRecord> {
        let record = self.redeploys.get_mut(&claim.agent)?;
        (record.fence == claim.fence && record.lease_until.is_some()).then_some(record)
    }

    fn lives(&self, agent: AgentId) -> bool {
        self.agents.get(&agent).is_some_and(|record| !record.deleted)
    }

    fn due_redeploys(&self, now: Timestamp) -> Vec<AgentId> {
        let is_free = |record: &RedeployRecord| record.lease_until.is_none_or(|until| until <= now);
        let free = self.redeploys.iter().filter(|(agent, record)| self.lives(**agent) && is_free(record));
        let mut due: Vec<_> = free.filter_map(|(agent, record)| Some((record.due()?, *agent))).collect();
        due.retain(|(at, _)| *at <= now);
        due.sort();
        due.into_iter().map(|(_, agent)| agent).collect()
    }

    fn take_redeploy(&mut self, agent: AgentId, until: Timestamp) -> Option<RedeployClaim> {
        let workspace = self.agents.get(&agent)?.agent.workspace.clone();
        let record = self.redeploys.get_mut(&agent)?;
        record.fence += 1;
        record.attempt += 1;
        record.lease_until = Some(until);
        let (fence, attempt, is_repeated) = (record.fence, record.attempt, record.wanted == Wanted::Repeated);
        Some(RedeployClaim { agent, workspace, fence, attempt, is_repeated })
    }

    /// A deployment reached a target after the agent had left it.
    fn purge_again(&mut self, target: TargetId, now: Timestamp) -> bool {
        let Some(record) = self.targets.get_mut(&target).filter(|record| record.retired.is_some()) else {
            return false;
        };
        record.desired += 1;
        record.next_attempt_at = now;
        self.news.due = true;
        true
    }

    fn complete_redeploy(&mut self, claim: &RedeployClaim, completion: &Completion) -> Option<()> {
        let Completion { target, digest, servers, at } = completion.clone();
        self.held_redeploy(claim)?;
        let moved = self.live_target(claim.agent).is_none_or(|live| live.target.id != target);
        if moved {
            self.purge_again(target, at);
        } else {
            self.deployments.insert(target, Deployed { digest: Some(digest), at: Some(at), servers });
        }
        let record = self.held_redeploy(claim)?;
        record.wanted = match (moved, record.again) {
            (true, _) => Wanted::Once,
            (false, true) => Wanted::Repeated,
            (false, false) => Wanted::Nothing,
        };
        record.again = false;
        record.attempt = 0;
        record.next_attempt_at = at;
        record.failure = None;
        record.lease_until = None;
        self.news.redeploy |= record.wanted != Wanted::Nothing;
        Some(())
    }

    fn fail_redeploy(&mut self, claim: &RedeployClaim, failure: &Failure, target: Option<TargetId>) -> Option<()> {
        let record = self.held_redeploy(claim)?;
        let again = std::mem::take(&mut record.again);
        let next = if again { Some(failure.at) } else { failure.next_attempt_at };
        record.blocked = next.is_none();
        record.next_attempt_at = next.unwrap_or(record.next_attempt_at);
        record.failure = Some((failure.class, failure.at));
        record.lease_until = None;
        self.news.redeploy |= again;
        if let Some(target) = target {
            self.purge_again(target, failure.at);
        }
        Some(())
    }
}

fn held(done: Option<()>) -> Held {
    if done.is_some() { Held::Yes } else { Held::No }
}

#[async_trait]
impl McpStore for InMemory {
    async fn find(&self, reach: &Reach, agent: AgentId) -> Result<Option<AgentServers>, Unavailable> {
        Ok(self.read(|state| state.agent(reach, agent).and_then(|_| state.servers(agent))))
    }

    async fn select(
        &self,
        reach: &Reach,
        agent: AgentId,
        providers: &[ProviderId],
        line: &AuditLine,
    ) -> Result<Option<AgentServers>, Unavailable> {
        Ok(self.write(|state, _| {
            state.agent(reach, agent)?;
            state.select(agent, providers);
            state.lines.push(line.clone());
            state.servers(agent)
        }))
    }

    async fn opening(&self, line: &AuditLine) -> Result<(), Unavailable> {
        self.write(|state, _| state.lines.push(line.clone()));
        Ok(())
    }
}

#[async_trait]
impl RedeployStore for InMemory {
    async fn request(&self, reach: &Reach, agent: AgentId, line: &AuditLine) -> Result<bool, Unavailable> {
        Ok(self.write(|state, _| {
            let found = state.agent(reach, agent).is_some();
            if found {
                state.redeploys.entry(agent).or_insert_with(|| RedeployRecord::new(line.at)).ask(line.at);
                state.lines.push(line.clone());
                state.news.redeploy = true;
            }
            found
        }))
    }

    async fn claim(&self, limit: u16, lease: Duration, now: Timestamp) -> Result<Vec<RedeployClaim>, Unavailable> {
        let until = now.after(lease);
        Ok(self.write(|state, _| {
            let due = state.due_redeploys(now);
            due.into_iter().take(limit.into()).filter_map(|agent| state.take_redeploy(agent, until)).collect()
        }))
    }

    async fn renew(&self, claim: &RedeployClaim, until: Timestamp) -> Result<Held, Unavailable> {
        let renewed = |state: &mut State| state.held_redeploy(claim).map(|record| record.lease_until = Some(until));
        Ok(held(self.write(|state, _| renewed(state))))
    }

    async fn release(&self, claims: &[RedeployClaim]) -> Result<(), Unavailable> {
        self.write(|state, _| {
            for claim in claims {
                if let Some(record) = state.held_redeploy(claim) {
                    record.lease_until = None;
                    record.again = false;
                    state.news.redeploy = true;
                }
            }
        });
        Ok(())
    }

    async fn snapshot(&self, claim: &RedeployClaim, line: &AuditLine) -> Result<Option<AgentServers>, Unavailable> {
        Ok(self.write(|state, _| {
            state.held_redeploy(claim)?;
            state.agent(&Reach::Everything, claim.agent)?;
            let servers = state.servers(claim.agent)?;
            let is_fed = |stored: &StoredIntegration| servers.selected.contains(&stored.integration.provider);
            if servers.integrations.iter().any(|stored| stored.secrets.is_some() && is_fed(stored)) {
                state.lines.push(line.clone());
            }
            Some(servers)
        }))
    }

    async fn handing(
        &self,
        claim: &RedeployClaim,
        target: TargetId,
        servers: &[ProviderId],
    ) -> Result<Held, Unavailable> {
        let noted = self.write(|state, _| {
            state.held_redeploy(claim)?;
            state.live_target(claim.agent).filter(|live| live.target.id == target)?;
            let deployed = state.deployments.entry(target).or_default();
            let all: BTreeSet<ProviderId> = deployed.servers.iter().chain(servers).cloned().collect();
            deployed.servers = all.into_iter().collect();
            Some(())
        });
        Ok(held(noted))
    }

    async fn complete(&self, claim: &RedeployClaim, completion: &Completion) -> Result<Held, Unavailable> {
        Ok(held(self.write(|state, _| state.complete_redeploy(claim, completion))))
    }

    async fn fail(
        &self,
        claim: &RedeployClaim,
        failure: &Failure,
        target: Option<TargetId>,
    ) -> Result<Held, Unavailable> {
        Ok(held(self.write(|state, _| state.fail_redeploy(claim, failure, target))))
    }

    async fn redeploy_changed(&self) {
        self.redeploy.notified().await;
    }

    async fn next_redeploy_due(&self) -> Result<Option<Timestamp>, Unavailable> {
        Ok(self.read(|state| {
            let living = state.redeploys.iter().filter(|(agent, _)| state.lives(**agent));
            living.filter_map(|(_, record)| record.free_at()).min()
        }))
    }
}
