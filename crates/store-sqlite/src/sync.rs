//! The state of every agent's sync.

mod claims;
mod outcomes;
mod owned;
mod snapshots;
mod state;
mod unconfirmed;
mod variables;

use std::time::Duration;

use async_trait::async_trait;
use diesel::prelude::*;
use diesel::sqlite::Sqlite;
use nora_integrations::ports::{
    Agreed, CheckedTarget, Claim, Completion, Failure, Held, OwnedVariable, Role, Snapshot, SyncRecord, SyncStore,
    Unconfirmed,
};
use nora_kernel::audit::AuditLine;
use nora_kernel::{AgentId, IntegrationId, Reach, Timestamp, Unavailable};

use crate::SqliteStore;
use crate::failure::Ending;
use crate::reach::Within;
use crate::schema::sync_targets;
use crate::targets::RETIRED;
use crate::value::{Count, Id, Time};

/// What a worker that holds a lease may go by.
#[derive(Queryable, Selectable)]
#[diesel(table_name = sync_targets, check_for_backend(Sqlite))]
struct HeldRow {
    id: Id,
    agent_id: Id,
    role: String,
    desired: Count,
    applied: Count,
}

impl HeldRow {
    fn is_retired(&self) -> bool {
        self.role == RETIRED
    }
}

/// That a target's row is a claim's, and its lease has neither ended nor gone to another worker.
macro_rules! of_lease {
    ($claim:expr) => {
        sync_targets::id
            .eq(crate::value::Id::from($claim.target))
            .and(sync_targets::fence.eq($claim.fence))
            .and(sync_targets::lease_until.is_not_null())
    };
}

use of_lease;

/// The target of a claim whose lease has neither ended nor gone to another worker.
fn held(connection: &mut SqliteConnection, claim: &Claim) -> QueryResult<Option<HeldRow>> {
    sync_targets::table.filter(of_lease!(claim)).select(HeldRow::as_select()).get_result(connection).optional()
}

/// What a target has become since it was claimed, it has not written.
fn record_owned(connection: &mut SqliteConnection, claim: &Claim, variables: Vec<OwnedVariable>) -> QueryResult<Held> {
    let same_role = |target: &HeldRow| target.is_retired() == matches!(claim.role, Role::Retired { .. });
    let Some(target) = held(connection, claim)?.filter(same_role) else { return Ok(Held::No) };
    let owned = sync_targets::owned.eq(owned::Owned(variables));
    diesel::update(sync_targets::table.find(target.id)).set(owned).execute(connection)?;
    Ok(Held::Yes)
}

/// What a target's row says once nobody holds a lease on it.
macro_rules! no_lease {
    () => {
        (
            sync_targets::lease_until.eq(None::<crate::value::Time>),
            sync_targets::lease_owner.eq(None::<crate::value::Id>),
        )
    };
}

use no_lease;

#[async_trait]
impl SyncStore for SqliteStore {
    async fn claim(&self, limit: u16, lease: Duration, now: Timestamp) -> Result<Vec<Claim>, Unavailable> {
        let lease = claims::Lease { owner: self.boot, until: Time(now.after(lease)) };
        self.write(move |transaction| claims::claim(transaction.connection, limit, lease, Time(now))).await
    }

    async fn renew(&self, claim: &Claim, until: Timestamp) -> Result<Held, Unavailable> {
        let claim = claim.clone();
        self.write(move |transaction| Ok(claims::renew(transaction.connection, &claim, Time(until))?)).await
    }

    async fn release(&self, claims: &[Claim]) -> Result<(), Unavailable> {
        let claims = claims.to_vec();
        self.write(move |transaction| {
            for claim in &claims {
                claims::release(transaction, claim)?;
            }
            Ok(())
        })
        .await
    }

    async fn snapshot(&self, claim: &Claim, line: &AuditLine) -> Result<Option<Snapshot>, Unavailable> {
        let (claim, line) = (claim.clone(), line.clone());
        self.write(move |transaction| snapshots::snapshot(transaction.connection, &claim, &line)).await
    }

    async fn complete(&self, claim: &Claim, completion: &Completion, line: &AuditLine) -> Result<Held, Unavailable> {
        let (claim, completion, line) = (claim.clone(), completion.clone(), line.clone());
        self.write(move |transaction| Ok(outcomes::complete(transaction, &claim, completion, &line)?)).await
    }

    async fn targets(&self, claims: &[Claim]) -> Result<Vec<Option<CheckedTarget>>, Unavailable> {
        let claims = claims.to_vec();
        self.read(move |connection| snapshots::targets(connection, &claims)).await
    }

    async fn record_owned(&self, claim: &Claim, owned: &[OwnedVariable]) -> Result<Held, Unavailable> {
        let (claim, owned) = (claim.clone(), owned.to_vec());
        self.write(move |transaction| Ok(record_owned(transaction.connection, &claim, owned)?)).await
    }

    async fn checked(&self, agreed: &[Agreed]) -> Result<Vec<Held>, Unavailable> {
        let agreed = agreed.to_vec();
        self.write(move |transaction| Ok(outcomes::checked(transaction.connection, &agreed)?)).await
    }

    async fn raise(
        &self,
        claim: &Claim,
        current: u64,
        next_attempt_at: Timestamp,
        line: &AuditLine,
    ) -> Result<Held, Unavailable> {
        let (claim, line) = (claim.clone(), line.clone());
        self.write(move |transaction| {
            Ok(outcomes::raise(transaction.connection, &claim, current, Time(next_attempt_at), &line)?)
        })
        .await
    }

    async fn fail(&self, claim: &Claim, failure: &Failure, pushed: Option<u64>) -> Result<Held, Unavailable> {
        let (claim, failure) = (claim.clone(), failure.clone());
        self.write(move |transaction| Ok(outcomes::fail(transaction, &claim, &failure, pushed)?)).await
    }

    async fn abandon(&self, claim: &Claim, line: &AuditLine) -> Result<Held, Unavailable> {
        let (claim, line) = (claim.clone(), line.clone());
        self.write(move |transaction| Ok(outcomes::abandon(transaction.connection, &claim, &line)?)).await
    }

    async fn mark_unreadable(
        &self,
        integration: IntegrationId,
        secrets_version: u64,
        line: &AuditLine,
    ) -> Result<(), Unavailable> {
        let (id, version, line) = (Id::from(integration), Count(secrets_version), line.clone());
        self.write(move |transaction| Ok(outcomes::mark_unreadable(transaction.connection, id, version, &line)?)).await
    }

    async fn state(&self, reach: &Reach, agent: AgentId) -> Result<Option<SyncRecord>, Unavailable> {
        let reach = Within::from(reach);
        let read = move |connection: &mut SqliteConnection| -> Ending<_> {
            connection.transaction(|connection| state::state(connection, &reach, agent.into()))
        };
        self.read(read).await
    }

    async fn unconfirmed(&self) -> Result<Vec<Unconfirmed>, Unavailable> {
        self.read(unconfirmed::unconfirmed).await
    }

    async fn changed(&self) {
        self.hub.due().await;
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, Unavailable> {
        let boot = self.boot;
        self.read(move |connection| Ok(claims::next_due(connection, boot)?)).await
    }
}
