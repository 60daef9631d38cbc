//! Every store over plain maps.

mod access;
mod agents;
mod channels;
mod deliveries;
mod events;
mod integrations;
mod mcp;
mod shapes;
mod sync;
mod targets;
mod unconfirmed;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use nora_access::StoredKey;
use nora_agents::Agent;
use nora_integrations::StoredIntegration;
use nora_integrations::ports::{RemovalRecord, Shapes};
use nora_kernel::audit::AuditLine;
use nora_kernel::{
    AgentId, ApiKeyId, ChannelId, Clock as _, EventId, Idempotency, IntegrationId, ProviderId, Reach, TargetId,
    Timestamp, WrappedKey,
};
use nora_mcp_servers::ports::Deployed;
use nora_webhooks::StoredChannel;
use tokio::sync::{Notify, broadcast};

use crate::memory::deliveries::{DeliveryRecord, EventRecord};
use crate::memory::mcp::RedeployRecord;
use crate::memory::targets::TargetRecord;
use crate::{Fixture, ManualClock, Stores};

/// Every store port over plain maps: what it stores is gone with it.
///
/// It keeps the promises of the contract suites, so that use cases can be tested without a database.
pub struct InMemory {
    clock: ManualClock,
    state: Mutex<State>,
    due: Notify,
    deliver: Notify,
    redeploy: Notify,
    revoked: broadcast::Sender<ApiKeyId>,
    revocations: tokio::sync::Mutex<broadcast::Receiver<ApiKeyId>>,
}

/// Everything that is stored. A unit of work that may be refused changes a copy, which takes its place if it is not.
#[derive(Clone, Default)]
struct State {
    keys: Vec<KeyRecord>,
    lines: Vec<AuditLine>,
    answers: Vec<Idempotency>,
    check_value: Option<Vec<u8>>,
    agents: BTreeMap<AgentId, AgentRecord>,
    targets: BTreeMap<TargetId, TargetRecord>,
    integrations: BTreeMap<IntegrationId, StoredIntegration>,
    removals: Vec<RemovalEntry>,
    selections: BTreeSet<(AgentId, ProviderId)>,
    deployments: BTreeMap<TargetId, Deployed>,
    redeploys: BTreeMap<AgentId, RedeployRecord>,
    shapes: Shapes,
    channels: BTreeMap<ChannelId, StoredChannel>,
    events: BTreeMap<EventId, EventRecord>,
    deliveries: BTreeMap<i64, DeliveryRecord>,
    sequence: i64,
    news: News,
}

/// What is told once a unit of work has succeeded.
#[derive(Clone, Default)]
struct News {
    due: bool,
    deliver: bool,
    redeploy: bool,
    revoked: Vec<ApiKeyId>,
}

#[derive(Clone)]
struct KeyRecord {
    stored: StoredKey,
    revoked: bool,
}

#[derive(Clone)]
struct AgentRecord {
    agent: Agent,
    key: WrappedKey,
    revision: u64,
    deleted: bool,
}

#[derive(Clone)]
struct RemovalEntry {
    agent: AgentId,
    generation: u64,
    removed_at: Timestamp,
    record: RemovalRecord,
}

impl InMemory {
    /// Empty stores that tell the time by `clock`.
    pub fn new(clock: ManualClock) -> Self {
        let (revoked, revocations) = broadcast::channel(256);
        let revocations = tokio::sync::Mutex::new(revocations);
        let (due, deliver, redeploy) = (Notify::new(), Notify::new(), Notify::new());
        Self { clock, state: Mutex::default(), due, deliver, redeploy, revoked, revocations }
    }

    fn read<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Does a unit of work that cannot be refused.
    fn write<T>(&self, work: impl FnOnce(&mut State, Timestamp) -> T) -> T {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let value = work(&mut state, self.clock.now());
        let news = std::mem::take(&mut state.news);
        drop(state);
        self.tell(news);
        value
    }

    /// Does a unit of work: all of it or, if it is refused, nothing.
    fn try_write<T, E>(&self, work: impl FnOnce(&mut State, Timestamp) -> Result<T, E>) -> Result<T, E> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut changed = state.clone();
        let value = work(&mut changed, self.clock.now())?;
        let news = std::mem::take(&mut changed.news);
        *state = changed;
        drop(state);
        self.tell(news);
        Ok(value)
    }

    fn tell(&self, News { due, deliver, redeploy, revoked }: News) {
        if due {
            self.due.notify_one();
        }
        if deliver {
            self.deliver.notify_one();
        }
        if redeploy {
            self.redeploy.notify_one();
        }
        for key in revoked {
            let _ = self.revoked.send(key);
        }
    }
}

impl State {
    /// The agent, if it lies within the reach and is not deleted.
    fn agent(&self, reach: &Reach, id: AgentId) -> Option<&AgentRecord> {
        self.agents.get(&id).filter(|record| !record.deleted && reach.includes(&record.agent.workspace))
    }

    fn of_agent(&self, agent: AgentId) -> impl Iterator<Item = &StoredIntegration> {
        self.integrations.values().filter(move |stored| stored.integration.agent == agent)
    }
}

/// A fresh [`InMemory`] as a contract suite wants it.
pub struct InMemoryFixture {
    stores: Arc<InMemory>,
    clock: ManualClock,
}

impl InMemoryFixture {
    /// Empty stores with a clock of their own.
    #[expect(clippy::unused_async, reason = "a contract suite awaits its fixtures")]
    pub async fn start() -> Self {
        let clock = ManualClock::new();
        Self { stores: Arc::new(InMemory::new(clock.clone())), clock }
    }
}

impl Fixture for InMemoryFixture {
    fn here(&self) -> &dyn Stores {
        &self.stores
    }

    fn elsewhere(&self) -> &dyn Stores {
        &self.stores
    }

    fn clock(&self) -> &ManualClock {
        &self.clock
    }
}
