//! One step of the reconciler: bring one runtime to the state it should have.

use std::sync::Arc;
use std::time::Duration;

use nora_agents::Target;
use nora_catalog::Catalog;
use nora_kernel::audit::{Action, Outcome};
use nora_kernel::{Clock, Entropy, IdSource, Reach, SecretMap, Timestamp, Unavailable, Vault, WrappedKey};

use crate::ledger::ClaimLedger;
use crate::lines::Lines;
use crate::ports::{
    Applied, Claim, Completion, Failure, FailureClass, Held, OwnedVariable, Push, PushError, Role, RuntimeAddress,
    RuntimeClient, Snapshot, SyncStore, Task,
};
use crate::status::conflicting;
use crate::{Assembly, Integration, SecretsError, Status, StoredIntegration, assemble, backoff};

/// How often a runtime in step is asked whether it agrees.
const CHECK_EVERY: Duration = Duration::from_mins(5);
/// The microseconds between two moments at which checks fall due.
const CHECK_GRID: i64 = 2_000_000;
/// How soon a state that was superseded is pushed again: once a second at most.
const AFTER_SUPERSEDED: Duration = Duration::from_secs(1);
/// No generation gets this far; a number above it is not the same number to every reader of JSON.
pub(crate) const HIGHEST_GENERATION: u64 = 1 << 53;

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The runtime confirmed the state.
    Synced,
    /// The runtime agreed when it was asked, or could not be asked.
    Checked,
    /// The runtime held another generation; ours was raised, and is due to be pushed.
    Raised,
    /// The push failed and is due again later, or waits for a change.
    Failed(FailureClass),
    /// A retired runtime never confirmed and was given up.
    Abandoned,
    /// Another worker has the target now. Nothing was recorded.
    LeaseLost,
}

/// Brings runtimes to the state they should have, one claim at a time.
#[derive(Clone)]
pub struct Reconciler {
    /// Every provider.
    pub catalog: Arc<Catalog>,
    /// The state of every sync.
    pub store: Arc<dyn SyncStore>,
    /// What opens credentials.
    pub vault: Arc<dyn Vault>,
    /// What speaks to runtimes.
    pub runtimes: Arc<dyn RuntimeClient>,
    /// Where ids come from.
    pub ids: Arc<dyn IdSource>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where chance comes from.
    pub entropy: Arc<dyn Entropy>,
}

impl Reconciler {
    /// Does what a claim asks for and records how it ended.
    ///
    /// Dropping the future at any point is safe: the lease runs out and the work is done again.
    pub async fn run(&self, claim: &Claim) -> Result<Step, Unavailable> {
        match (claim.role, claim.task) {
            (Role::Retired { until, .. }, _) if self.clock.now() >= until => self.abandon(claim).await,
            (_, Task::Push) => self.push(claim).await,
            (_, Task::Check) => self.check_alone(claim).await,
        }
    }

    async fn abandon(&self, claim: &Claim) -> Result<Step, Unavailable> {
        let action = Action::RuntimePurgeAbandoned;
        let line = self.lines().target(&claim.workspace, action, claim.agent, claim.target, Outcome::Failure);
        let held = self.store.abandon(claim, &line).await?;
        Ok(step(held, Step::Abandoned))
    }

    async fn push(&self, claim: &Claim) -> Result<Step, Unavailable> {
        let line = self.lines().opened_for_sync(&claim.workspace, claim.agent);
        let Some(mut snapshot) = self.store.snapshot(claim, &line).await? else { return Ok(Step::LeaseLost) };
        let generation = snapshot.generation;
        let (owned, undeploy) = (std::mem::take(&mut snapshot.owned), std::mem::take(&mut snapshot.undeploy));
        let prepared = self.prepare(snapshot).await?;
        let (address, assembly) = match prepared {
            Ok(prepared) => prepared,
            Err(class) => return self.fail(claim, class, None, Some(generation)).await,
        };
        if self.is_somebody_elses(claim, &address, &owned).await {
            return self.complete(claim, generation, Vec::new()).await;
        }
        let Assembly { integrations, env, header_hosts, conflicts } = assembly;
        let push = Push { agent: claim.agent, generation, integrations, env, undeploy, header_hosts, owned };
        let ledger = ClaimLedger { store: self.store.as_ref(), claim };
        match self.runtimes.apply(&address, &push, &ledger).await {
            Ok(Applied { mut variables }) => {
                variables.extend(conflicts.into_iter().map(|conflict| conflicting(conflict.name)));
                self.complete(claim, generation, variables).await
            }
            Err(PushError::Superseded { current }) if current > generation && current < HIGHEST_GENERATION => {
                self.superseded(claim, current).await
            }
            Err(PushError::Superseded { .. }) => {
                self.fail(claim, FailureClass::BadAnswer, None, Some(generation)).await
            }
            Err(PushError::Failed { class, retry_after }) => {
                self.fail(claim, class, retry_after, Some(generation)).await
            }
        }
    }

    /// Whether a retired runtime says that it holds another agent's state. That took the place of this agent's, and an
    /// empty push would take it away from whoever lives there now.
    async fn is_somebody_elses(&self, claim: &Claim, address: &RuntimeAddress, owned: &[OwnedVariable]) -> bool {
        if claim.role == Role::Live {
            return false;
        }
        let health = self.runtimes.health(address, owned).await;
        health.ok().flatten().and_then(|health| health.agent).is_some_and(|holder| holder != claim.agent)
    }

    async fn complete(
        &self,
        claim: &Claim,
        generation: u64,
        mut variables: Vec<crate::ports::Variable>,
    ) -> Result<Step, Unavailable> {
        variables.sort_by(|one, other| one.name.cmp(&other.name));
        let completion = Completion { generation, variables, at: self.clock.now(), next_check_at: self.next_check() };
        let action = Action::RuntimePurged;
        let line = self.lines().target(&claim.workspace, action, claim.agent, claim.target, Outcome::Success);
        let held = self.store.complete(claim, &completion, &line).await?;
        Ok(step(held, Step::Synced))
    }

    /// A live runtime, or one of a deleted agent, that holds a newer generation than ours held it before a backup was
    /// restored: ours is raised above it. So did one that an agent has moved away from, unless what it holds may come
    /// from the agent's new target (the same machine under another name): then there is nothing left to purge.
    async fn superseded(&self, claim: &Claim, current: u64) -> Result<Step, Unavailable> {
        let due = self.clock.now().after(AFTER_SUPERSEDED);
        if !matches!(claim.role, Role::Retired { agent_deleted: false, .. }) {
            return self.raise(claim, current, due, Action::GenerationRaised).await;
        }
        let live = self.store.state(&Reach::Everything, claim.agent).await?;
        if live.is_some_and(|live| live.desired >= current) {
            return self.complete(claim, current, Vec::new()).await;
        }
        // Not above it: the new target goes above, and no two states may bear one generation.
        self.raise(claim, current.saturating_sub(1), due, Action::GenerationRaised).await
    }

    pub(crate) async fn raise(
        &self,
        claim: &Claim,
        current: u64,
        due: Timestamp,
        action: Action,
    ) -> Result<Step, Unavailable> {
        let line = self.lines().target(&claim.workspace, action, claim.agent, claim.target, Outcome::Success);
        let held = self.store.raise(claim, current, due, &line).await?;
        Ok(step(held, Step::Raised))
    }

    pub(crate) async fn fail(
        &self,
        claim: &Claim,
        class: FailureClass,
        asked: Option<Duration>,
        pushed: Option<u64>,
    ) -> Result<Step, Unavailable> {
        let at = self.clock.now();
        let wait = backoff(claim.attempt, asked, self.chance());
        let next_attempt_at = (!class.is_permanent()).then(|| at.after(wait));
        let failure = Failure { class, at, next_attempt_at };
        let held = self.store.fail(claim, &failure, pushed).await?;
        Ok(step(held, Step::Failed(class)))
    }

    /// Opens what a push needs. An integration that does not open is left out and says so; it does not hold up the
    /// others.
    async fn prepare(
        &self,
        snapshot: Snapshot,
    ) -> Result<Result<(RuntimeAddress, Assembly), FailureClass>, Unavailable> {
        let Snapshot { target, key, integrations, .. } = snapshot;
        let address = match self.address(&target, &key).await {
            Ok(address) => address,
            Err(class) => return Ok(Err(class)),
        };
        let mut opened: Vec<(Integration, SecretMap)> = Vec::with_capacity(integrations.len());
        for stored in integrations {
            if stored.integration.status(&self.catalog) != Status::Active {
                continue;
            }
            match stored.open(self.vault.as_ref(), &key).await {
                Ok(secrets) => opened.push((stored.integration, secrets)),
                Err(SecretsError::Unreadable) => self.mark_unreadable(&stored).await?,
                Err(SecretsError::Unavailable(_)) => return Ok(Err(FailureClass::Internal)),
            }
        }
        Ok(Ok((address, assemble(&self.catalog, &opened))))
    }

    pub(crate) async fn address(&self, target: &Target, key: &WrappedKey) -> Result<RuntimeAddress, FailureClass> {
        match target.open(self.vault.as_ref(), key).await {
            Ok(secrets) => Ok(RuntimeAddress::of(target, secrets)),
            Err(error) if error.may_open_later() => Err(FailureClass::Internal),
            Err(_) => Err(FailureClass::Unreadable),
        }
    }

    async fn mark_unreadable(&self, stored: &StoredIntegration) -> Result<(), Unavailable> {
        let Integration { id, agent, .. } = stored.integration;
        tracing::warn!(%agent, integration = %id, "an integration's secrets do not open; it needs to be reconnected");
        let line = self.lines().unreadable(&stored.workspace, agent, id);
        self.store.mark_unreadable(id, stored.secrets_version, &line).await
    }

    /// Spread over the last fifth of the interval, so that runtimes that were pushed at once are not asked at once; and
    /// on a grid, so that one look at the store finds many of them.
    pub(crate) fn next_check(&self) -> Timestamp {
        let early = CHECK_EVERY / 5 / 256 * u32::from(self.chance());
        let exact = self.clock.now().after(CHECK_EVERY.saturating_sub(early)).as_microseconds();
        Timestamp::from_microseconds(exact - exact.rem_euclid(CHECK_GRID))
    }

    /// Without randomness nothing is spread, and nothing else is lost.
    fn chance(&self) -> u8 {
        let mut byte = [0];
        self.entropy.fill(&mut byte).map_or(0, |()| u8::from_be_bytes(byte))
    }

    fn lines(&self) -> Lines<'_> {
        Lines { ids: self.ids.as_ref(), clock: self.clock.as_ref() }
    }
}

pub(crate) fn step(held: Held, done: Step) -> Step {
    match held {
        Held::Yes => done,
        Held::No => Step::LeaseLost,
    }
}
