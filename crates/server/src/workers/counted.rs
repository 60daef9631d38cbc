//! A store that counts what it is asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use nora_integrations::ports::{
    Agreed, CheckedTarget, Claim, Completion, Failure, Held, OwnedVariable, Snapshot, SyncRecord, SyncStore,
    Unconfirmed,
};
use nora_kernel::audit::AuditLine;
use nora_kernel::{AgentId, IntegrationId, Reach, Timestamp, Unavailable};

/// Counts the looks for work, everything else that a database would be asked, and the checks that are recorded.
pub(super) struct Counted {
    inner: Arc<dyn SyncStore>,
    looks: AtomicU64,
    others: AtomicU64,
    agreed: AtomicUsize,
}

impl Counted {
    pub(super) fn new(inner: Arc<dyn SyncStore>) -> Self {
        Self { inner, looks: AtomicU64::new(0), others: AtomicU64::new(0), agreed: AtomicUsize::new(0) }
    }

    pub(super) fn reset(&self) {
        self.looks.store(0, Ordering::SeqCst);
        self.others.store(0, Ordering::SeqCst);
        self.agreed.store(0, Ordering::SeqCst);
    }

    pub(super) fn looks(&self) -> u64 {
        self.looks.load(Ordering::SeqCst)
    }

    pub(super) fn others(&self) -> u64 {
        self.others.load(Ordering::SeqCst)
    }

    /// How many checks were recorded.
    pub(super) fn agreed(&self) -> usize {
        self.agreed.load(Ordering::SeqCst)
    }

    fn other(&self) -> &dyn SyncStore {
        self.others.fetch_add(1, Ordering::SeqCst);
        self.inner.as_ref()
    }

    fn look(&self) -> &dyn SyncStore {
        self.looks.fetch_add(1, Ordering::SeqCst);
        self.inner.as_ref()
    }
}

#[async_trait]
impl SyncStore for Counted {
    async fn claim(&self, limit: u16, lease: Duration, now: Timestamp) -> Result<Vec<Claim>, Unavailable> {
        self.look().claim(limit, lease, now).await
    }

    async fn renew(&self, claim: &Claim, until: Timestamp) -> Result<Held, Unavailable> {
        self.other().renew(claim, until).await
    }

    async fn release(&self, claims: &[Claim]) -> Result<(), Unavailable> {
        self.other().release(claims).await
    }

    async fn snapshot(&self, claim: &Claim, line: &AuditLine) -> Result<Option<Snapshot>, Unavailable> {
        self.other().snapshot(claim, line).await
    }

    async fn complete(&self, claim: &Claim, completion: &Completion, line: &AuditLine) -> Result<Held, Unavailable> {
        self.other().complete(claim, completion, line).await
    }

    async fn targets(&self, claims: &[Claim]) -> Result<Vec<Option<CheckedTarget>>, Unavailable> {
        self.other().targets(claims).await
    }

    async fn record_owned(&self, claim: &Claim, owned: &[OwnedVariable]) -> Result<Held, Unavailable> {
        self.other().record_owned(claim, owned).await
    }

    async fn checked(&self, agreed: &[Agreed]) -> Result<Vec<Held>, Unavailable> {
        self.agreed.fetch_add(agreed.len(), Ordering::SeqCst);
        self.other().checked(agreed).await
    }

    async fn raise(
        &self,
        claim: &Claim,
        current: u64,
        next_attempt_at: Timestamp,
        line: &AuditLine,
    ) -> Result<Held, Unavailable> {
        self.other().raise(claim, current, next_attempt_at, line).await
    }

    async fn fail(&self, claim: &Claim, failure: &Failure, pushed: Option<u64>) -> Result<Held, Unavailable> {
        self.other().fail(claim, failure, pushed).await
    }

    async fn abandon(&self, claim: &Claim, line: &AuditLine) -> Result<Held, Unavailable> {
        self.other().abandon(claim, line).await
    }

    async fn mark_unreadable(&self, id: IntegrationId, version: u64, line: &AuditLine) -> Result<(), Unavailable> {
        self.other().mark_unreadable(id, version, line).await
    }

    async fn state(&self, reach: &Reach, agent: AgentId) -> Result<Option<SyncRecord>, Unavailable> {
        self.other().state(reach, agent).await
    }

    async fn unconfirmed(&self) -> Result<Vec<Unconfirmed>, Unavailable> {
        self.other().unconfirmed().await
    }

    async fn changed(&self) {
        self.inner.changed().await;
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, Unavailable> {
        self.look().next_due().await
    }
}
