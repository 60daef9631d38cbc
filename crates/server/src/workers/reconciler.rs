//! The loop that runs the reconciler.

mod checks;

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use nora_integrations::ports::{Claim, Held, SyncStore, Task};
use nora_integrations::{Reconciler, Step};
use nora_kernel::{Clock, Timestamp, Unavailable};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::error::cause;
use crate::metrics::SyncMetrics;
use crate::workers::Stop;

/// How long a lease lasts; it is renewed at a third.
const LEASE: Duration = Duration::from_secs(15);
/// How many pushes run at once. One that waits for a slow runtime costs a task and a socket.
const PUSHES: usize = 256;
/// How many targets one claim takes at most.
const BATCH: u16 = 64;
/// The longest pause between two looks at the store when nothing calls.
const POLL: Duration = Duration::from_secs(2);
/// How long changes are gathered after a claim before the next one: under load one claim then takes many of them.
const GATHER: Duration = Duration::from_millis(5);
/// The pause after the store failed.
const AFTER_FAULT: Duration = Duration::from_millis(500);

/// Runs the reconciler until told to stop.
pub(crate) struct ReconcilerLoop {
    pub(crate) reconciler: Reconciler,
    pub(crate) store: Arc<dyn SyncStore>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) metrics: SyncMetrics,
}

impl ReconcilerLoop {
    /// Claims what is due, runs it, and waits for more. When told to stop it claims no more, lets what is under way
    /// finish for as long as `Stop` gives, and gives the other leases back.
    pub(crate) async fn run(self, stop: Stop) {
        let this = Arc::new(self);
        let slots = Arc::new(Semaphore::new(PUSHES));
        let mut running = JoinSet::new();
        while !stop.is_set() {
            match this.claim(&slots).await {
                Ok(claims) => {
                    let full_batch = claims.len() == usize::from(BATCH);
                    let (checks, others) =
                        claims.into_iter().partition::<Vec<_>, _>(|(claim, _)| claim.task == Task::Check);
                    for (claim, slot) in others {
                        running.spawn(Arc::clone(&this).work(claim, slot, stop.clone()));
                    }
                    if !checks.is_empty() {
                        running.spawn(Arc::clone(&this).check(checks, stop.clone()));
                    }
                    while running.try_join_next().is_some() {}
                    if !full_batch {
                        this.wait(&stop, &slots).await;
                    }
                }
                Err(error) => {
                    tracing::error!(error = cause(&error), "no work could be claimed");
                    stop.or_sleep(AFTER_FAULT).await;
                }
            }
        }
        while running.join_next().await.is_some() {}
    }

    async fn claim(&self, slots: &Arc<Semaphore>) -> Result<Vec<(Claim, OwnedSemaphorePermit)>, Unavailable> {
        let mut free = Vec::new();
        while free.len() < usize::from(BATCH) {
            let Ok(slot) = Arc::clone(slots).try_acquire_owned() else { break };
            free.push(slot);
        }
        let limit = u16::try_from(free.len()).unwrap_or(BATCH);
        if limit == 0 {
            return Ok(Vec::new());
        }
        let claims = self.store.claim(limit, LEASE, self.clock.now()).await?;
        Ok(claims.into_iter().zip(free).collect())
    }

    /// Waits for a free slot if there is none, or else for a change, for the next target to become due, or for a while.
    async fn wait(&self, stop: &Stop, slots: &Arc<Semaphore>) {
        stop.or_sleep(GATHER).await;
        if slots.available_permits() == 0 {
            // Nothing can be claimed, whatever changes.
            tokio::select! {
                _ = slots.acquire() => {}
                () = stop.or_sleep(POLL) => {}
            }
            return;
        }
        if self.store.changed().now_or_never().is_some() {
            return;
        }
        let pause = self.until_next_due().await;
        tokio::select! {
            () = self.store.changed() => {}
            () = stop.or_sleep(pause) => {}
        }
    }

    async fn until_next_due(&self) -> Duration {
        let now = self.clock.now();
        match self.store.next_due().await {
            Ok(Some(due)) => due.since(now).clamp(Duration::from_millis(1), POLL),
            Ok(None) | Err(_) => POLL,
        }
    }

    async fn work(self: Arc<Self>, claim: Claim, slot: OwnedSemaphorePermit, stop: Stop) {
        let begun = self.clock.now();
        tokio::select! {
            biased;
            () = self.keep_lease(&claim) => tracing::warn!(agent = %claim.agent, "a lease was lost; its push is given up"),
            () = stop.deadline() => self.give_back(&[claim]).await,
            ended = self.reconciler.run(&claim) => self.report(&claim, begun, ended),
        }
        drop(slot);
    }

    /// Renews the lease until it is lost; returns then, and before it can run out under a store that does not answer.
    async fn keep_lease(&self, claim: &Claim) {
        let mut held_until = self.clock.now().after(LEASE);
        loop {
            tokio::time::sleep(LEASE / 3).await;
            let until = self.clock.now().after(LEASE);
            match timeout(LEASE / 3, self.store.renew(claim, until)).await {
                Ok(Ok(Held::Yes)) => held_until = until,
                Ok(Ok(Held::No)) => return,
                Ok(Err(_)) | Err(_) if self.clock.now() >= held_until.before(LEASE / 3) => return,
                Ok(Err(_)) | Err(_) => {}
            }
        }
    }

    async fn give_back(&self, claims: &[Claim]) {
        if let Err(error) = self.store.release(claims).await {
            tracing::warn!(error = cause(&error), "leases were not given back; they run out");
        }
    }

    fn report(&self, claim: &Claim, begun: Timestamp, ended: Result<Step, Unavailable>) {
        let took = self.clock.now().since(begun);
        match ended {
            Ok(step) => {
                self.metrics.observe(step, took);
                tracing::debug!(agent = %claim.agent, ?step, ?took, "a target was worked on");
            }
            Err(error) => {
                tracing::error!(agent = %claim.agent, error = cause(&error), "a push was not recorded");
            }
        }
    }
}
