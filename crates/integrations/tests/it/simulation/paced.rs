//! A store whose every call waits for its turn, and may fail before or after it was done.

use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use async_trait::async_trait;
use nora_integrations::ports::{
    Agreed, CheckedTarget, Claim, Completion, Failure, Held, OwnedVariable, Snapshot, SyncRecord, SyncStore,
    Unconfirmed,
};
use nora_kernel::audit::AuditLine;
use nora_kernel::{AgentId, IntegrationId, Reach, Timestamp, Unavailable};

use super::leases::Leases;

/// What becomes of a call that was waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// It is done and answered.
    Done,
    /// Nothing is done.
    Refused,
    /// It is done, and the answer gets lost.
    AnswerLost,
}

/// Where a worker waits for its turn.
#[derive(Default)]
pub(super) struct Pace(Mutex<Option<Turn>>);

impl Pace {
    pub(super) fn give(&self, turn: Turn) {
        *self.0.lock().unwrap() = Some(turn);
    }

    pub(super) async fn turn(&self) -> Turn {
        poll_fn(|_| self.0.lock().unwrap().take().map_or(Poll::Pending, Poll::Ready)).await
    }
}

/// One worker's view of the store.
pub(super) struct Paced {
    pub(super) inner: Arc<dyn SyncStore>,
    pub(super) pace: Arc<Pace>,
    pub(super) leases: Arc<Leases>,
}

fn down() -> Unavailable {
    Unavailable::transient("the store is down")
}

impl Paced {
    async fn call<T: Send>(&self, work: impl Future<Output = Result<T, Unavailable>> + Send) -> Result<T, Unavailable> {
        match self.pace.turn().await {
            Turn::Done => work.await,
            Turn::Refused => Err(down()),
            Turn::AnswerLost => work.await.and(Err(down())),
        }
    }

    /// A call that ends the lease if it is done.
    async fn last(
        &self,
        claim: &Claim,
        work: impl Future<Output = Result<Held, Unavailable>> + Send,
    ) -> Result<Held, Unavailable> {
        let watched = async {
            let held = work.await?;
            if held == Held::Yes {
                self.leases.end(claim);
            }
            Ok(held)
        };
        self.call(watched).await
    }
}

#[async_trait]
impl SyncStore for Paced {
    async fn claim(&self, limit: u16, lease: Duration, now: Timestamp) -> Result<Vec<Claim>, Unavailable> {
        let granted = async {
            let claims = self.inner.claim(limit, lease, now).await?;
            self.leases.grant(&claims, now, now.after(lease));
            Ok(claims)
        };
        self.call(granted).await
    }

    async fn renew(&self, claim: &Claim, until: Timestamp) -> Result<Held, Unavailable> {
        let renewed = async {
            let held = self.inner.renew(claim, until).await?;
            if held == Held::Yes {
                self.leases.renew(claim, until);
            }
            Ok(held)
        };
        self.call(renewed).await
    }

    async fn release(&self, claims: &[Claim]) -> Result<(), Unavailable> {
        let released = async {
            self.inner.release(claims).await?;
            self.leases.release(claims);
            Ok(())
        };
        self.call(released).await
    }

    async fn snapshot(&self, claim: &Claim, line: &AuditLine) -> Result<Option<Snapshot>, Unavailable> {
        self.call(self.inner.snapshot(claim, line)).await
    }

    async fn complete(&self, claim: &Claim, completion: &Completion, line: &AuditLine) -> Result<Held, Unavailable> {
        self.last(claim, self.inner.complete(claim, completion, line)).await
    }

    async fn targets(&self, claims: &[Claim]) -> Result<Vec<Option<CheckedTarget>>, Unavailable> {
        self.call(self.inner.targets(claims)).await
    }

    async fn record_owned(&self, claim: &Claim, owned: &[OwnedVariable]) -> Result<Held, Unavailable> {
        self.call(self.inner.record_owned(claim, owned)).await
    }

    async fn checked(&self, agreed: &[Agreed]) -> Result<Vec<Held>, Unavailable> {
        let watched = async {
            let held = self.inner.checked(agreed).await?;
            let ended = agreed.iter().zip(&held).filter(|(_, held)| **held == Held::Yes);
            ended.for_each(|(agreed, _)| self.leases.end(&agreed.claim));
            Ok(held)
        };
        self.call(watched).await
    }

    async fn raise(
        &self,
        claim: &Claim,
        current: u64,
        next_attempt_at: Timestamp,
        line: &AuditLine,
    ) -> Result<Held, Unavailable> {
        self.last(claim, self.inner.raise(claim, current, next_attempt_at, line)).await
    }

    async fn fail(&self, claim: &Claim, failure: &Failure, pushed: Option<u64>) -> Result<Held, Unavailable> {
        self.last(claim, self.inner.fail(claim, failure, pushed)).await
    }

    async fn abandon(&self, claim: &Claim, line: &AuditLine) -> Result<Held, Unavailable> {
        self.last(claim, self.inner.abandon(claim, line)).await
    }

    async fn mark_unreadable(
        &self,
        integration: IntegrationId,
        secrets_version: u64,
        line: &AuditLine,
    ) -> Result<(), Unavailable> {
        self.call(self.inner.mark_unreadable(integration, secrets_version, line)).await
    }

    async fn state(&self, reach: &Reach, agent: AgentId) -> Result<Option<SyncRecord>, Unavailable> {
        self.call(self.inner.state(reach, agent)).await
    }

    async fn unconfirmed(&self) -> Result<Vec<Unconfirmed>, Unavailable> {
        self.call(self.inner.unconfirmed()).await
    }

    async fn changed(&self) {
        self.inner.changed().await;
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, Unavailable> {
        self.call(self.inner.next_due()).await
    }
}
