//! Targets in memory, and what changes them.

use nora_agents::Target;
use nora_integrations::ports::{FailureClass, OwnedVariable, Role, Variable};
use nora_kernel::{AgentId, TargetId, Timestamp};
use nora_webhooks::StoredChannel;

use super::State;

#[derive(Clone)]
pub(super) struct TargetRecord {
    pub(super) target: Target,
    /// Until when it is asked to be empty; `None` while the agent lives there.
    pub(super) retired: Option<Timestamp>,
    pub(super) desired: u64,
    pub(super) applied: u64,
    pub(super) attempt: u32,
    pub(super) blocked: bool,
    pub(super) next_attempt_at: Timestamp,
    pub(super) next_check_at: Timestamp,
    pub(super) fence: i64,
    pub(super) lease_until: Option<Timestamp>,
    pub(super) last_synced_at: Option<Timestamp>,
    pub(super) failure: Option<(FailureClass, Timestamp)>,
    pub(super) variables: Vec<Variable>,
    pub(super) owned: Vec<OwnedVariable>,
    pub(super) created_at: Timestamp,
    /// Since when it is to be empty.
    pub(super) retired_at: Option<Timestamp>,
}

impl TargetRecord {
    pub(super) fn new(target: Target, desired: u64, now: Timestamp) -> Self {
        Self {
            target,
            retired: None,
            desired,
            applied: 0,
            attempt: 0,
            blocked: false,
            next_attempt_at: now,
            next_check_at: now,
            fence: 0,
            lease_until: None,
            last_synced_at: None,
            failure: None,
            variables: Vec::new(),
            owned: Vec::new(),
            created_at: now,
            retired_at: None,
        }
    }

    pub(super) fn role(&self, agent_deleted: bool) -> Role {
        self.retired.map_or(Role::Live, |until| Role::Retired { until, agent_deleted })
    }

    pub(super) fn is_behind(&self) -> bool {
        self.desired > self.applied
    }

    /// When it is due, were there no lease on it. Pushes come before checks.
    pub(super) fn due(&self) -> Option<(bool, Timestamp)> {
        let push = (!self.blocked && self.is_behind()).then_some((false, self.next_attempt_at));
        let purge = self.retired.map(|until| (false, until));
        let check = (!self.blocked && !self.is_behind()).then_some((true, self.next_check_at));
        push.into_iter().chain(purge).min().or(check)
    }

    fn raise(&mut self, now: Timestamp) -> u64 {
        self.desired += 1;
        self.next_attempt_at = now;
        self.desired
    }

    fn forget_failures(&mut self) {
        self.blocked = false;
        self.attempt = 0;
    }
}

impl State {
    pub(super) fn live(&mut self, agent: AgentId) -> Option<&mut TargetRecord> {
        self.targets.values_mut().find(|record| record.target.agent == agent && record.retired.is_none())
    }

    pub(super) fn live_target(&self, agent: AgentId) -> Option<&TargetRecord> {
        self.targets.values().find(|record| record.target.agent == agent && record.retired.is_none())
    }

    /// Adds an agent's live target, unless another agent has its gateway.
    pub(super) fn add_target(&mut self, target: &Target, desired: u64, now: Timestamp) -> Option<()> {
        let gateway = |target: &Target| target.gateway.as_ref().map(nora_kernel::address::Endpoint::origin);
        let wanted = gateway(target);
        let mut live = self.targets.values().filter(|record| record.retired.is_none());
        if wanted.is_some() && live.any(|record| gateway(&record.target) == wanted) {
            return None;
        }
        self.targets.insert(target.id, TargetRecord::new(target.clone(), desired, now));
        self.news.due = true;
        Some(())
    }

    /// Raises the desired generation of an agent's live target; `None` if there is none.
    pub(super) fn raise(&mut self, agent: AgentId, now: Timestamp) -> Option<u64> {
        self.news.due = true;
        self.live(agent).map(|record| record.raise(now))
    }

    pub(super) fn raise_anew(&mut self, agent: AgentId, now: Timestamp) -> Option<u64> {
        self.live(agent)?.forget_failures();
        self.raise(agent, now)
    }

    /// What an agent's live target owns in a runtime that `to` leads to as well.
    pub(super) fn hand_over(&mut self, agent: AgentId, to: &Target) -> Vec<OwnedVariable> {
        let place = |target: &Target| {
            let gateway = target.gateway.as_ref().map(nora_kernel::address::Endpoint::origin);
            (target.kind, gateway.or_else(|| target.url.as_ref().map(ToString::to_string)))
        };
        let staying = self.live(agent).filter(|record| place(&record.target) == place(to));
        staying.map(|record| std::mem::take(&mut record.owned)).unwrap_or_default()
    }

    pub(super) fn retire(&mut self, agent: AgentId, until: Timestamp, now: Timestamp) -> Option<u64> {
        let desired = self.raise_anew(agent, now);
        let record = self.live(agent)?;
        record.retired = Some(until);
        record.retired_at = Some(now);
        desired
    }

    /// Forgets a target, and its agent if it was the last one of a deleted agent.
    pub(super) fn forget(&mut self, target: TargetId) {
        let Some(record) = self.targets.remove(&target) else { return };
        let agent = record.target.agent;
        self.deployments.remove(&target);
        let stays = self.targets.values().any(|record| record.target.agent == agent);
        if !stays && self.agents.get(&agent).is_some_and(|record| record.deleted) {
            self.agents.remove(&agent);
            self.redeploys.remove(&agent);
            self.selections.retain(|(of, _)| *of != agent);
            self.integrations.retain(|_, stored| stored.integration.agent != agent);
            self.removals.retain(|removal| removal.agent != agent);
            let of_agent = |stored: &&StoredChannel| stored.channel.agent == agent;
            let channels: Vec<_> = self.channels.values().filter(of_agent).map(|stored| stored.channel.id).collect();
            for channel in channels {
                self.close_channel(channel);
            }
        }
    }
}
