//! The state of every agent's sync, handed out under leases.
//!
//! A lease is held by whoever knows the target's fence, for as long as `lease_until` is not null: a lease that has run
//! out is still held until somebody else claims the target.

mod claim;
mod due;
mod outcome;
mod owned;
mod retired;
mod snapshot;
mod state;
mod unconfirmed;
mod variables;

use std::time::Duration;

use async_trait::async_trait;
use nora_integrations::ports::{
    Agreed, CheckedTarget, Claim, Completion, Failure, Held, OwnedVariable, Role, Snapshot, SyncRecord, SyncStore,
    Unconfirmed,
};
use nora_kernel::audit::AuditLine;
use nora_kernel::{AgentId, IntegrationId, Reach, Timestamp, Unavailable};

use crate::signals::Topic;
use crate::store::PostgresStore;

#[async_trait]
impl SyncStore for PostgresStore {
    async fn claim(&self, limit: u16, lease: Duration, now: Timestamp) -> Result<Vec<Claim>, Unavailable> {
        Ok(self.for_worker(claim::claim(self, limit, lease, now)).await?)
    }

    async fn renew(&self, claim: &Claim, until: Timestamp) -> Result<Held, Unavailable> {
        Ok(claim::renew(self, claim, until).await?)
    }

    async fn release(&self, claims: &[Claim]) -> Result<(), Unavailable> {
        Ok(claim::release(self, claims).await?)
    }

    async fn snapshot(&self, claim: &Claim, line: &AuditLine) -> Result<Option<Snapshot>, Unavailable> {
        Ok(self.for_worker(snapshot::snapshot(self, claim, line)).await?)
    }

    async fn complete(&self, claim: &Claim, completion: &Completion, line: &AuditLine) -> Result<Held, Unavailable> {
        // A target can be retired while it is pushed to, but never becomes live again.
        if claim.role == Role::Live && self.for_worker(outcome::complete(self, claim, completion)).await? == Held::Yes {
            return Ok(Held::Yes);
        }
        Ok(retired::complete(self, claim, completion, line).await?)
    }

    async fn targets(&self, claims: &[Claim]) -> Result<Vec<Option<CheckedTarget>>, Unavailable> {
        Ok(self.for_worker(snapshot::targets(self, claims)).await?)
    }

    async fn record_owned(&self, claim: &Claim, owned: &[OwnedVariable]) -> Result<Held, Unavailable> {
        Ok(owned::record(self, claim, owned).await?)
    }

    async fn checked(&self, agreed: &[Agreed]) -> Result<Vec<Held>, Unavailable> {
        Ok(self.for_worker(outcome::checked(self, agreed)).await?)
    }

    async fn raise(
        &self,
        claim: &Claim,
        current: u64,
        next_attempt_at: Timestamp,
        line: &AuditLine,
    ) -> Result<Held, Unavailable> {
        Ok(outcome::raise(self, claim, current, next_attempt_at, line).await?)
    }

    async fn fail(&self, claim: &Claim, failure: &Failure, pushed: Option<u64>) -> Result<Held, Unavailable> {
        Ok(self.for_worker(outcome::fail(self, claim, failure, pushed)).await?)
    }

    async fn abandon(&self, claim: &Claim, line: &AuditLine) -> Result<Held, Unavailable> {
        Ok(retired::abandon(self, claim, line).await?)
    }

    async fn mark_unreadable(
        &self,
        integration: IntegrationId,
        secrets_version: u64,
        line: &AuditLine,
    ) -> Result<(), Unavailable> {
        Ok(outcome::mark_unreadable(self, integration, secrets_version, line).await?)
    }

    async fn state(&self, reach: &Reach, agent: AgentId) -> Result<Option<SyncRecord>, Unavailable> {
        Ok(state::state(self, reach, agent).await?)
    }

    async fn unconfirmed(&self) -> Result<Vec<Unconfirmed>, Unavailable> {
        Ok(unconfirmed::unconfirmed(self).await?)
    }

    async fn changed(&self) {
        self.signals.due(Topic::Sync).await;
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, Unavailable> {
        Ok(self.for_worker(due::next_due(self)).await?)
    }
}
