//! The state of syncs in memory.

use std::time::Duration;

use async_trait::async_trait;
use nora_integrations::ports::{
    Agreed, CheckedTarget, Claim, Completion, Failure, Held, OwnedVariable, Role, Snapshot, SyncRecord, SyncStore,
    Task, Unconfirmed,
};
use nora_kernel::audit::AuditLine;
use nora_kernel::{AgentId, IntegrationId, Reach, TargetId, Timestamp, Unavailable, WrappedKey};

use super::integrations::newest_first;
use super::targets::TargetRecord;
use super::{InMemory, State};

const REMOVALS: usize = 100;

fn is_held(record: &TargetRecord, claim: &Claim) -> bool {
    record.fence == claim.fence && record.lease_until.is_some()
}

impl State {
    fn held(&mut self, claim: &Claim) -> Option<&mut TargetRecord> {
        self.targets.get_mut(&claim.target).filter(|record| is_held(record, claim))
    }

    fn due(&self, now: Timestamp) -> Vec<TargetId> {
        let is_free = |record: &TargetRecord| record.lease_until.is_none_or(|until| until <= now);
        let free = self.targets.values().filter(|record| is_free(record));
        let due = free.filter_map(|record| record.due().map(|due| (due, record.target.id)));
        let mut due: Vec<_> = due.filter(|((_, since), _)| *since <= now).collect();
        due.sort();
        due.into_iter().map(|(_, target)| target).collect()
    }

    fn take(&mut self, target: TargetId, until: Timestamp) -> Option<Claim> {
        let record = self.targets.get_mut(&target)?;
        let task = if record.is_behind() { Task::Push } else { Task::Check };
        record.attempt += u32::from(task == Task::Push);
        record.fence += 1;
        record.lease_until = Some(until);
        let deleted = self.agents.get(&record.target.agent).is_some_and(|agent| agent.deleted);
        Some(Claim {
            target,
            agent: record.target.agent,
            workspace: record.target.workspace.clone(),
            role: record.role(deleted),
            task,
            fence: record.fence,
            attempt: record.attempt,
            applied: record.applied,
        })
    }

    fn target(&self, claim: &Claim) -> Option<(&TargetRecord, WrappedKey)> {
        let record = self.targets.get(&claim.target).filter(|record| is_held(record, claim))?;
        Some((record, self.agents.get(&record.target.agent)?.key.clone()))
    }

    fn snapshot(&self, claim: &Claim) -> Option<Snapshot> {
        let (record, key) = self.target(claim)?;
        let mut integrations: Vec<_> = newest_first(self, claim.agent).into_iter().rev().cloned().collect();
        if record.retired.is_some() {
            integrations.clear();
        }
        let deployed = self.deployments.get(&claim.target).filter(|_| record.retired.is_some());
        let undeploy = deployed.map(|deployed| deployed.servers.clone()).unwrap_or_default();
        Some(Snapshot {
            target: record.target.clone(),
            key,
            generation: record.desired,
            integrations,
            undeploy,
            owned: record.owned.clone(),
        })
    }

    fn complete(&mut self, claim: &Claim, completion: Completion, line: &AuditLine) -> Option<()> {
        let record = self.held(claim)?;
        let (retired, behind) = (record.retired.is_some(), completion.generation < record.desired);
        if retired && !behind {
            self.forget(claim.target);
            self.lines.push(line.clone());
            return Some(());
        }
        record.applied = record.applied.max(completion.generation).min(record.desired);
        record.attempt = 0;
        record.blocked = false;
        record.failure = None;
        record.last_synced_at = Some(completion.at);
        record.next_check_at = completion.next_check_at;
        record.variables = completion.variables;
        record.lease_until = None;
        self.news.due |= behind;
        let confirmed = self.removals.iter_mut().filter(|removal| !retired && removal.agent == claim.agent);
        for removal in confirmed.filter(|removal| removal.generation <= completion.generation) {
            removal.record.confirmed_at.get_or_insert(completion.at);
        }
        Some(())
    }

    fn fail(&mut self, claim: &Claim, failure: &Failure, pushed: Option<u64>) -> Option<()> {
        let record = self.held(claim)?;
        let changed = pushed.is_some_and(|pushed| record.desired > pushed);
        let next = if changed { Some(failure.at) } else { failure.next_attempt_at };
        record.blocked = next.is_none();
        record.next_attempt_at = next.unwrap_or(record.next_attempt_at);
        record.next_check_at = next.unwrap_or(record.next_check_at);
        record.failure = Some((failure.class, failure.at));
        record.lease_until = None;
        self.news.due |= changed;
        Some(())
    }

    fn record(&self, reach: &Reach, agent: AgentId) -> Option<SyncRecord> {
        self.agent(reach, agent)?;
        let record = self.live_target(agent)?;
        let next_attempt_at = (!record.blocked).then_some(record.next_attempt_at);
        let mut removals: Vec<_> = self.removals.iter().filter(|removal| removal.agent == agent).collect();
        removals.sort_by_key(|removal| std::cmp::Reverse((removal.removed_at, removal.record.integration)));
        let integrations = newest_first(self, agent).into_iter();
        Some(SyncRecord {
            desired: record.desired,
            applied: record.applied,
            last_synced_at: record.last_synced_at,
            next_attempt_at: next_attempt_at.filter(|_| record.is_behind()),
            last_failure: record.failure.map(|(class, at)| Failure { class, at, next_attempt_at }),
            device_id: record.target.device_id.clone(),
            variables: record.variables.clone(),
            integrations: integrations.map(|stored| (stored.integration.clone(), stored.generation)).collect(),
            removals: removals.into_iter().take(REMOVALS).map(|removal| removal.record.clone()).collect(),
        })
    }
}

fn held(done: Option<()>) -> Held {
    if done.is_some() { Held::Yes } else { Held::No }
}

#[async_trait]
impl SyncStore for InMemory {
    async fn claim(&self, limit: u16, lease: Duration, now: Timestamp) -> Result<Vec<Claim>, Unavailable> {
        let until = now.after(lease);
        Ok(self.write(|state, _| {
            let due = state.due(now);
            due.into_iter().take(limit.into()).filter_map(|target| state.take(target, until)).collect()
        }))
    }

    async fn renew(&self, claim: &Claim, until: Timestamp) -> Result<Held, Unavailable> {
        let renewed = self.write(|state, _| state.held(claim).map(|record| record.lease_until = Some(until)));
        Ok(held(renewed))
    }

    async fn release(&self, claims: &[Claim]) -> Result<(), Unavailable> {
        self.write(|state, _| {
            for claim in claims {
                if let Some(record) = state.held(claim) {
                    record.lease_until = None;
                    state.news.due = true;
                }
            }
        });
        Ok(())
    }

    async fn snapshot(&self, claim: &Claim, line: &AuditLine) -> Result<Option<Snapshot>, Unavailable> {
        Ok(self.write(|state, _| {
            let snapshot = state.snapshot(claim)?;
            if snapshot.integrations.iter().any(|stored| stored.secrets.is_some()) {
                state.lines.push(line.clone());
            }
            Some(snapshot)
        }))
    }

    async fn complete(&self, claim: &Claim, completion: &Completion, line: &AuditLine) -> Result<Held, Unavailable> {
        Ok(held(self.write(|state, _| state.complete(claim, completion.clone(), line))))
    }

    async fn targets(&self, claims: &[Claim]) -> Result<Vec<Option<CheckedTarget>>, Unavailable> {
        let read = |state: &State, claim| {
            let (record, key) = state.target(claim)?;
            Some(CheckedTarget { target: record.target.clone(), key, owned: record.owned.clone() })
        };
        Ok(self.read(|state| claims.iter().map(|claim| read(state, claim)).collect()))
    }

    async fn record_owned(&self, claim: &Claim, owned: &[OwnedVariable]) -> Result<Held, Unavailable> {
        let recorded = self.write(|state, _| {
            let record = state.held(claim)?;
            let same_role = record.retired.is_some() == matches!(claim.role, Role::Retired { .. });
            same_role.then(|| record.owned = owned.to_vec())
        });
        Ok(held(recorded))
    }

    async fn checked(&self, agreed: &[Agreed]) -> Result<Vec<Held>, Unavailable> {
        let end = |state: &mut State, Agreed { claim, next_check_at }: &Agreed| {
            let record = state.held(claim)?;
            record.next_check_at = *next_check_at;
            record.lease_until = None;
            Some(())
        };
        Ok(self.write(|state, _| agreed.iter().map(|agreed| held(end(state, agreed))).collect()))
    }

    async fn raise(
        &self,
        claim: &Claim,
        current: u64,
        next_attempt_at: Timestamp,
        line: &AuditLine,
    ) -> Result<Held, Unavailable> {
        let raised = self.write(|state, _| {
            let record = state.held(claim)?;
            let as_claimed = record.retired.is_some() == (claim.role != Role::Live);
            record.next_attempt_at = next_attempt_at;
            record.lease_until = None;
            if as_claimed {
                record.desired = record.desired.max(current.saturating_add(1));
                state.lines.push(line.clone());
            }
            Some(())
        });
        Ok(held(raised))
    }

    async fn fail(&self, claim: &Claim, failure: &Failure, pushed: Option<u64>) -> Result<Held, Unavailable> {
        Ok(held(self.write(|state, _| state.fail(claim, failure, pushed))))
    }

    async fn abandon(&self, claim: &Claim, line: &AuditLine) -> Result<Held, Unavailable> {
        let abandoned = self.write(|state, _| {
            state.held(claim).filter(|record| record.retired.is_some())?;
            state.forget(claim.target);
            state.lines.push(line.clone());
            Some(())
        });
        Ok(held(abandoned))
    }

    async fn mark_unreadable(
        &self,
        integration: IntegrationId,
        secrets_version: u64,
        line: &AuditLine,
    ) -> Result<(), Unavailable> {
        self.write(|state, _| {
            let stored = state.integrations.get_mut(&integration);
            let stored = stored.filter(|stored| stored.secrets_version == secrets_version);
            if let Some(stored) = stored.filter(|stored| stored.integration.readable) {
                stored.integration.readable = false;
                state.lines.push(line.clone());
            }
        });
        Ok(())
    }

    async fn state(&self, reach: &Reach, agent: AgentId) -> Result<Option<SyncRecord>, Unavailable> {
        Ok(self.read(|state| state.record(reach, agent)))
    }

    async fn unconfirmed(&self) -> Result<Vec<Unconfirmed>, Unavailable> {
        Ok(self.read(State::unconfirmed))
    }

    async fn changed(&self) {
        self.due.notified().await;
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, Unavailable> {
        Ok(self.read(|state| {
            let due = |record: &TargetRecord| Some(record.due()?.1).max(record.lease_until);
            state.targets.values().filter_map(due).min()
        }))
    }
}
