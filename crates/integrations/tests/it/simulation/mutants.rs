//! Worlds that break one promise each. The simulation must notice every one of them, and for the right reason.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use nora_integrations::StoredIntegration;
use nora_integrations::ports::{
    Agreed, Applied, CheckedTarget, Claim, Completion, Failure, FailureClass, Health, Held, Ledger, OwnedVariable,
    Push, PushError, Role, RuntimeAddress, RuntimeClient, Snapshot, SyncRecord, SyncStore, Unconfirmed, Variable,
    VariableState,
};
use nora_kernel::audit::{Action, Actor, AuditLine, Outcome, Resource, ResourceKind};
use nora_kernel::{AgentId, AuditId, EnvName, IntegrationId, Reach, Secret, TargetId, Timestamp, Unavailable};
use uuid::Uuid;

use super::world::{Flaw, Kind, play_flawed};

/// How many schedules a flaw may survive. Most are found within a few dozen.
const PATIENCE: u64 = 4000;

/// Plays schedules until one breaks a law, which must be one of these.
fn is_found(flaw: &Flaw, kind: Kind, laws: &[&str]) {
    for seed in 0..PATIENCE {
        if let Err(broken) = play_flawed(seed, kind, false, flaw) {
            assert!(laws.iter().any(|law| broken.contains(law)), "seed {seed}: {broken}");
            return;
        }
    }
    panic!("nobody noticed");
}

fn store(flawed: fn(Arc<dyn SyncStore>) -> Arc<dyn SyncStore>) -> Flaw {
    Flaw { store: Some(flawed), ..Flaw::default() }
}

/// What is wrong with a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrong {
    /// A claim is good whoever has the lease.
    FenceIgnored,
    /// What is about to be pushed counts as applied.
    AppliedBeforeConfirmed,
    /// What was changed during a push counts as applied too.
    AppliedBeyondThePush,
    /// The generation and the integrations are not of one moment.
    TornSnapshot,
    /// A retired target is told what its agent has.
    RetiredStaysFull,
    /// A purge is forgotten when it fails first.
    PurgeGivenUpAtOnce,
    /// A runtime that is ahead stays so.
    NeverRaised,
    /// A change during a push that fails for good is forgotten.
    ChangeForgotten,
    /// A runtime in step is never asked again.
    NeverChecked,
}

/// A store with one thing wrong.
struct Flawed {
    wrong: Wrong,
    inner: Arc<dyn SyncStore>,
    fences: Mutex<BTreeMap<TargetId, i64>>,
    earlier: Mutex<BTreeMap<AgentId, Vec<StoredIntegration>>>,
}

macro_rules! flawed {
    ($wrong:ident) => {
        store(|inner| {
            Arc::new(Flawed { wrong: Wrong::$wrong, inner, fences: Mutex::default(), earlier: Mutex::default() })
        })
    };
}

impl Flawed {
    fn is(&self, wrong: Wrong) -> bool {
        self.wrong == wrong
    }

    /// The claim as the store is shown it.
    fn shown(&self, claim: &Claim) -> Claim {
        let newest = self.fences.lock().unwrap().get(&claim.target).copied();
        let fence = newest.filter(|_| self.is(Wrong::FenceIgnored)).unwrap_or(claim.fence);
        Claim { fence, ..claim.clone() }
    }

    fn next_check(&self, at: Timestamp) -> Timestamp {
        if self.is(Wrong::NeverChecked) { at.after(Duration::from_hours(1000)) } else { at }
    }
}

#[async_trait]
impl SyncStore for Flawed {
    async fn claim(&self, limit: u16, lease: Duration, now: Timestamp) -> Result<Vec<Claim>, Unavailable> {
        let claims = self.inner.claim(limit, lease, now).await?;
        self.fences.lock().unwrap().extend(claims.iter().map(|claim| (claim.target, claim.fence)));
        Ok(claims)
    }

    async fn renew(&self, claim: &Claim, until: Timestamp) -> Result<Held, Unavailable> {
        self.inner.renew(claim, until).await
    }

    async fn release(&self, claims: &[Claim]) -> Result<(), Unavailable> {
        self.inner.release(claims).await
    }

    async fn snapshot(&self, claim: &Claim, line: &AuditLine) -> Result<Option<Snapshot>, Unavailable> {
        let Some(mut snapshot) = self.inner.snapshot(claim, line).await? else { return Ok(None) };
        let present = snapshot.integrations.clone();
        let earlier = self.earlier.lock().unwrap().insert(claim.agent, present);
        let stale = self.is(Wrong::TornSnapshot);
        let full = self.is(Wrong::RetiredStaysFull) && snapshot.integrations.is_empty();
        if let Some(earlier) = earlier.filter(|_| stale || full) {
            snapshot.integrations = earlier;
        }
        if self.is(Wrong::AppliedBeforeConfirmed) && claim.role == Role::Live {
            let at = line.at;
            let completion =
                Completion { generation: snapshot.generation, variables: Vec::new(), at, next_check_at: at };
            self.inner.complete(claim, &completion, line).await?;
        }
        Ok(Some(snapshot))
    }

    async fn complete(&self, claim: &Claim, completion: &Completion, line: &AuditLine) -> Result<Held, Unavailable> {
        let next_check_at = self.next_check(completion.next_check_at);
        let mut completion = Completion { next_check_at, ..completion.clone() };
        if self.is(Wrong::AppliedBeyondThePush)
            && let Some(record) = self.inner.state(&Reach::Everything, claim.agent).await?
            && claim.role == Role::Live
        {
            completion.generation = record.desired;
        }
        self.inner.complete(&self.shown(claim), &completion, line).await
    }

    async fn targets(&self, claims: &[Claim]) -> Result<Vec<Option<CheckedTarget>>, Unavailable> {
        self.inner.targets(claims).await
    }

    async fn record_owned(&self, claim: &Claim, owned: &[OwnedVariable]) -> Result<Held, Unavailable> {
        self.inner.record_owned(claim, owned).await
    }

    async fn checked(&self, agreed: &[Agreed]) -> Result<Vec<Held>, Unavailable> {
        let mut agreed = agreed.to_vec();
        for one in &mut agreed {
            one.next_check_at = self.next_check(one.next_check_at);
        }
        self.inner.checked(&agreed).await
    }

    async fn raise(
        &self,
        claim: &Claim,
        current: u64,
        next_attempt_at: Timestamp,
        line: &AuditLine,
    ) -> Result<Held, Unavailable> {
        if self.is(Wrong::NeverRaised) {
            let agreed = Agreed { claim: claim.clone(), next_check_at: next_attempt_at };
            return Ok(self.inner.checked(&[agreed]).await?.remove(0));
        }
        self.inner.raise(claim, current, next_attempt_at, line).await
    }

    async fn fail(&self, claim: &Claim, failure: &Failure, pushed: Option<u64>) -> Result<Held, Unavailable> {
        if self.is(Wrong::PurgeGivenUpAtOnce) && matches!(claim.role, Role::Retired { .. }) {
            return self.inner.abandon(claim, &given_up(claim, failure.at)).await;
        }
        let pushed = if self.is(Wrong::ChangeForgotten) { None } else { pushed };
        self.inner.fail(&self.shown(claim), failure, pushed).await
    }

    async fn abandon(&self, claim: &Claim, line: &AuditLine) -> Result<Held, Unavailable> {
        self.inner.abandon(claim, line).await
    }

    async fn mark_unreadable(&self, id: IntegrationId, version: u64, line: &AuditLine) -> Result<(), Unavailable> {
        self.inner.mark_unreadable(id, version, line).await
    }

    async fn state(&self, reach: &Reach, agent: AgentId) -> Result<Option<SyncRecord>, Unavailable> {
        self.inner.state(reach, agent).await
    }

    async fn unconfirmed(&self) -> Result<Vec<Unconfirmed>, Unavailable> {
        self.inner.unconfirmed().await
    }

    async fn changed(&self) {
        self.inner.changed().await;
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, Unavailable> {
        self.inner.next_due().await
    }
}

fn given_up(claim: &Claim, at: Timestamp) -> AuditLine {
    AuditLine {
        id: AuditId::from_uuid(Uuid::from_u128(u128::try_from(at.as_microseconds()).unwrap())),
        at,
        workspace: claim.workspace.clone(),
        actor: Actor::System,
        action: Action::RuntimePurgeAbandoned,
        resource: Resource::new(ResourceKind::Runtime, claim.target),
        agent: Some(claim.agent),
        purpose: None,
        outcome: Outcome::Failure,
        request: None,
    }
}

/// What a client is deaf to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deaf {
    /// No answer is as good as a good one.
    Silence,
    /// A runtime that holds something newer is as good as one that confirms.
    Refusals,
    /// What a runtime says of itself does not matter.
    Health,
}

/// A client that hears what it wants to hear.
struct Optimist(Deaf, Arc<dyn RuntimeClient>);

#[async_trait]
impl RuntimeClient for Optimist {
    async fn apply(&self, address: &RuntimeAddress, push: &Push, ledger: &dyn Ledger) -> Result<Applied, PushError> {
        let variable =
            |(name, _): &(EnvName, Secret)| Variable { name: name.clone(), state: VariableState::Live, reason: None };
        let confirmed = Applied { variables: push.env.iter().map(variable).collect() };
        match (self.0, self.1.apply(address, push, ledger).await) {
            (Deaf::Silence, Err(PushError::Failed { class: FailureClass::Timeout, .. }))
            | (Deaf::Refusals, Err(PushError::Superseded { .. })) => Ok(confirmed),
            (_, answer) => answer,
        }
    }

    async fn health(&self, address: &RuntimeAddress, owned: &[OwnedVariable]) -> Result<Option<Health>, PushError> {
        let said = self.1.health(address, owned).await;
        if self.0 == Deaf::Health { Ok(None) } else { said }
    }
}

macro_rules! optimist {
    ($deaf:ident) => {
        Flaw { runtimes: Some(|line| Arc::new(Optimist(Deaf::$deaf, line))), ..Flaw::default() }
    };
}

const UNCONFIRMED: &[&str] = &["counts as applied"];
const APART: &[&str] = &["does not converge", "instead of", "goes round in circles"];
const CONTENT: &[&str] = &["and was pushed as"];

#[test]
fn a_store_that_ignores_fences() {
    is_found(&flawed!(FenceIgnored), Kind::Fenced, &["under a lost lease"]);
}

#[test]
fn a_store_that_records_before_the_runtime_confirms() {
    is_found(&flawed!(AppliedBeforeConfirmed), Kind::Fenced, &["counts as applied", "was given away"]);
}

#[test]
fn a_store_that_records_more_than_was_pushed() {
    is_found(&flawed!(AppliedBeyondThePush), Kind::Fenced, UNCONFIRMED);
}

#[test]
fn a_snapshot_of_two_moments() {
    is_found(&flawed!(TornSnapshot), Kind::Fenced, CONTENT);
}

#[test]
fn a_retired_runtime_that_is_told_everything() {
    is_found(&flawed!(RetiredStaysFull), Kind::Fenced, CONTENT);
}

#[test]
fn a_purge_that_is_given_up_at_once() {
    is_found(&flawed!(PurgeGivenUpAtOnce), Kind::Unfenced, &["given up too early"]);
}

#[test]
fn a_generation_that_is_never_raised() {
    is_found(&flawed!(NeverRaised), Kind::Fenced, APART);
}

#[test]
fn a_change_that_is_forgotten() {
    is_found(&flawed!(ChangeForgotten), Kind::Fenced, &["is desired", "is not purged"]);
}

#[test]
fn a_runtime_that_is_never_asked_again() {
    is_found(&flawed!(NeverChecked), Kind::Fenced, APART);
}

#[test]
fn silence_taken_for_consent() {
    is_found(&optimist!(Silence), Kind::Fenced, UNCONFIRMED);
}

#[test]
fn a_refusal_taken_for_consent() {
    is_found(&optimist!(Refusals), Kind::Fenced, UNCONFIRMED);
}

#[test]
fn a_runtime_whose_word_does_not_count() {
    is_found(&optimist!(Health), Kind::Fenced, APART);
}

#[test]
fn a_runtime_that_takes_older_generations() {
    is_found(&Flaw { forgets_order: true, ..Flaw::default() }, Kind::Fenced, &["landed after"]);
}

#[test]
fn a_worker_that_goes_on_without_its_lease() {
    is_found(&Flaw { pauses: true, ..Flaw::default() }, Kind::Unfenced, &["landed after"]);
}
