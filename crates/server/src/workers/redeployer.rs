//! The loop that does redeploys.

use std::sync::Arc;
use std::time::Duration;

use nora_integrations::ports::Held;
use nora_kernel::{Clock, Unavailable};
use nora_mcp_servers::ports::{RedeployClaim, RedeployStore};
use nora_mcp_servers::{RedeployStep, Redeployer};
use tokio::task::JoinSet;

use crate::error::cause;
use crate::metrics::RedeployMetrics;
use crate::workers::Stop;

/// How long a lease lasts; it is renewed at a third.
const LEASE: Duration = Duration::from_secs(15);
/// How many redeploys run at once.
const REDEPLOYS: usize = 64;
/// The longest pause between two looks at the store when nothing calls.
const POLL: Duration = Duration::from_secs(2);
/// The pause after the store failed.
const AFTER_FAULT: Duration = Duration::from_millis(500);

/// Does redeploys until told to stop.
pub(crate) struct RedeployerLoop {
    pub(crate) redeployer: Redeployer,
    pub(crate) store: Arc<dyn RedeployStore>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) metrics: RedeployMetrics,
}

impl RedeployerLoop {
    /// Claims what is due, does it, and waits for more. When told to stop it claims no more, lets what is under way
    /// finish for as long as `Stop` gives, and gives the other leases back.
    pub(crate) async fn run(self, stop: Stop) {
        let this = Arc::new(self);
        let mut running = JoinSet::new();
        while !stop.is_set() {
            while running.try_join_next().is_some() {}
            let free = REDEPLOYS.saturating_sub(running.len());
            match this.claim(free).await {
                Ok(claims) => {
                    for claim in claims {
                        running.spawn(Arc::clone(&this).work(claim, stop.clone()));
                    }
                    this.wait(&stop, &mut running).await;
                }
                Err(error) => {
                    tracing::error!(error = cause(&error), "no redeploy could be claimed");
                    stop.or_sleep(AFTER_FAULT).await;
                }
            }
        }
        while running.join_next().await.is_some() {}
    }

    async fn claim(&self, free: usize) -> Result<Vec<RedeployClaim>, Unavailable> {
        let limit = u16::try_from(free).unwrap_or(u16::MAX);
        if limit == 0 { Ok(Vec::new()) } else { self.store.claim(limit, LEASE, self.clock.now()).await }
    }

    /// Waits for a request, for the next redeploy to become due, for a free place if there is none, or for a while.
    async fn wait(&self, stop: &Stop, running: &mut JoinSet<()>) {
        let now = self.clock.now();
        let pause = match self.store.next_redeploy_due().await {
            Ok(Some(due)) => due.since(now).clamp(Duration::from_millis(1), POLL),
            Ok(None) | Err(_) => POLL,
        };
        let full = running.len() >= REDEPLOYS;
        tokio::select! {
            () = self.store.redeploy_changed() => {}
            _ = running.join_next(), if full => {}
            () = stop.or_sleep(if full { POLL } else { pause }) => {}
        }
    }

    async fn work(self: Arc<Self>, claim: RedeployClaim, stop: Stop) {
        tokio::select! {
            biased;
            () = self.keep_lease(&claim) => {
                tracing::warn!(agent = %claim.agent, "a lease was lost; its redeploy is given up");
            }
            () = stop.deadline() => self.give_back(claim).await,
            ended = self.redeployer.run(&claim) => self.report(&claim, ended),
        }
    }

    /// Renews the lease until it is lost; returns then.
    async fn keep_lease(&self, claim: &RedeployClaim) {
        let mut held_until = self.clock.now().after(LEASE);
        loop {
            tokio::time::sleep(LEASE / 3).await;
            let until = self.clock.now().after(LEASE);
            match self.store.renew(claim, until).await {
                Ok(Held::Yes) => held_until = until,
                Ok(Held::No) => return,
                Err(_) if self.clock.now() >= held_until.before(LEASE / 3) => return,
                Err(_) => {}
            }
        }
    }

    async fn give_back(&self, claim: RedeployClaim) {
        if let Err(error) = self.store.release(&[claim]).await {
            tracing::warn!(error = cause(&error), "a lease was not given back; it runs out");
        }
    }

    fn report(&self, claim: &RedeployClaim, ended: Result<RedeployStep, Unavailable>) {
        match ended {
            Ok(step) => {
                self.metrics.observe(step);
                tracing::debug!(agent = %claim.agent, ?step, "a redeploy was worked on");
            }
            Err(error) => tracing::error!(agent = %claim.agent, error = cause(&error), "a redeploy was not recorded"),
        }
    }
}
