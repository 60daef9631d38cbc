//! The loop that delivers webhook events.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use nora_kernel::{AgentId, Clock, Timestamp, Unavailable};
use nora_webhooks::ports::{DeliveryClaim, DeliveryStore, Held};
use nora_webhooks::{Deliverer, DeliveryStep};
use tokio::task::JoinSet;

use crate::error::cause;
use crate::intake::Crowd;
use crate::metrics::DeliveryMetrics;
use crate::workers::Stop;

/// How long a lease lasts; it is renewed at a third.
const LEASE: Duration = Duration::from_secs(15);
/// How many deliveries run at once.
const DELIVERIES: usize = 128;
/// How many of them may be one agent's: a runtime that hangs holds no more.
const PER_AGENT: u16 = 8;
/// How many deliveries one claim takes at most.
const BATCH: usize = 64;
/// The longest pause between two looks at the store when nothing calls.
const POLL: Duration = Duration::from_secs(2);
/// The shortest: what is due and may not be claimed yet is no reason to ask all the time.
const BREATH: Duration = Duration::from_millis(20);
/// The pause between two claims while senders crowd in: what they send is kept first. It is handed on all the same,
/// `BATCH` at a time.
const ASIDE: Duration = Duration::from_millis(100);
/// The pause after the store failed.
const AFTER_FAULT: Duration = Duration::from_millis(500);

/// Delivers events until told to stop.
pub(crate) struct DeliveryLoop {
    pub(crate) deliverer: Deliverer,
    pub(crate) store: Arc<dyn DeliveryStore>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) metrics: DeliveryMetrics,
    pub(crate) agents: Arc<Agents>,
    pub(crate) crowd: Crowd,
}

/// What each agent's deliveries are up to here.
#[derive(Debug, Default)]
pub(crate) struct Agents(Mutex<HashMap<AgentId, Load>>);

#[derive(Debug, Default, Clone, Copy)]
struct Load {
    running: u16,
    failing: bool,
}

impl Load {
    /// One that does not answer is asked by one delivery at a time.
    const fn is_busy(self) -> bool {
        self.running >= if self.failing { 1 } else { PER_AGENT }
    }
}

impl Agents {
    fn busy(&self) -> Vec<AgentId> {
        self.lock().iter().filter(|(_, load)| load.is_busy()).map(|(agent, _)| *agent).collect()
    }

    fn begin(&self, agent: AgentId) {
        self.lock().entry(agent).or_default().running += 1;
    }

    fn end(&self, agent: AgentId, failing: Option<bool>) {
        let mut agents = self.lock();
        let load = agents.entry(agent).or_default();
        load.running = load.running.saturating_sub(1);
        load.failing = failing.unwrap_or(load.failing);
        if load.running == 0 && !load.failing {
            agents.remove(&agent);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<AgentId, Load>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl DeliveryLoop {
    /// Claims what is due, delivers it, and waits for more. When told to stop it claims no more, lets what is under
    /// way finish for as long as `Stop` gives, and gives the other leases back.
    pub(crate) async fn run(self, stop: Stop) {
        let this = Arc::new(self);
        let mut running = JoinSet::new();
        while !stop.is_set() {
            while running.try_join_next().is_some() {}
            match this.claim(running.len()).await {
                Ok(claims) => {
                    let full_batch = claims.len() == BATCH;
                    for claim in claims {
                        this.agents.begin(claim.agent);
                        running.spawn(Arc::clone(&this).work(claim, stop.clone()));
                    }
                    if this.crowd.is_there() {
                        stop.or_sleep(ASIDE).await;
                    } else if !full_batch {
                        this.wait(&stop, &mut running).await;
                    }
                }
                Err(error) => {
                    tracing::error!(error = cause(&error), "no deliveries could be claimed");
                    stop.or_sleep(AFTER_FAULT).await;
                }
            }
        }
        while running.join_next().await.is_some() {}
    }

    async fn claim(&self, running: usize) -> Result<Vec<DeliveryClaim>, Unavailable> {
        let free = DELIVERIES.saturating_sub(running).min(BATCH);
        let limit = u16::try_from(free).unwrap_or_default();
        if limit == 0 {
            return Ok(Vec::new());
        }
        self.store.claim(limit, PER_AGENT, &self.agents.busy(), LEASE, self.clock.now()).await
    }

    /// Waits for a change, for a delivery to end (its lane goes on), for the next one to become due, or for a while.
    async fn wait(&self, stop: &Stop, running: &mut JoinSet<()>) {
        let pause = if running.len() >= DELIVERIES { POLL } else { self.until_next_due().await };
        let ended = async {
            if running.join_next().await.is_none() {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            () = self.store.changed() => {}
            () = ended => {}
            () = stop.or_sleep(pause) => {}
        }
    }

    async fn until_next_due(&self) -> Duration {
        let now = self.clock.now();
        match self.store.next_due().await {
            Ok(Some(due)) => due.since(now).clamp(BREATH, POLL),
            Ok(None) | Err(_) => POLL,
        }
    }

    async fn work(self: Arc<Self>, claim: DeliveryClaim, stop: Stop) {
        let begun = self.clock.now();
        let failing = tokio::select! {
            biased;
            () = self.keep_lease(&claim) => {
                tracing::warn!(event = %claim.event, "a lease was lost; its delivery is given up");
                None
            }
            () = stop.deadline() => {
                self.give_back(&claim).await;
                None
            }
            ended = self.deliverer.run(&claim) => self.report(&claim, begun, ended),
        };
        self.agents.end(claim.agent, failing);
    }

    /// Renews the lease until it is lost; returns then.
    async fn keep_lease(&self, claim: &DeliveryClaim) {
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

    async fn give_back(&self, claim: &DeliveryClaim) {
        if let Err(error) = self.store.release(std::slice::from_ref(claim)).await {
            tracing::warn!(error = cause(&error), "a lease was not given back; it runs out");
        }
    }

    /// Says whether the agent's runtime fails, as far as this step can tell.
    fn report(
        &self,
        claim: &DeliveryClaim,
        begun: Timestamp,
        ended: Result<DeliveryStep, Unavailable>,
    ) -> Option<bool> {
        let took = self.clock.now().since(begun);
        match ended {
            Ok(step) => {
                self.metrics.observe(step, took);
                if let DeliveryStep::Dead(class) = step {
                    tracing::warn!(agent = %claim.agent, event = %claim.event, %class, "an event is dead");
                }
                match step {
                    DeliveryStep::Delivered => Some(false),
                    DeliveryStep::Failed(_) => Some(true),
                    DeliveryStep::Dead(_) | DeliveryStep::LeaseLost => None,
                }
            }
            Err(error) => {
                tracing::error!(event = %claim.event, error = cause(&error), "a delivery was not recorded");
                None
            }
        }
    }
}
