//! Agents in memory, and everything around them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use nora_agents::ports::{
    AgentStore, AgentUpdate, DeviceKey, DeviceKeys, InsertAgentError, StoredAgent, TargetUpdate, UpdateAgentError,
};
use nora_agents::{
    AddressRules, Agent, Agents, ChangeAgent, ChangeAgentError, CreateAgent, CreateAgentError, DeviceIdentity,
    GatewayInput, RuntimeInput, RuntimeKind, RuntimeSecrets,
};
use nora_kernel::address::NetworkPolicy;
use nora_kernel::audit::{Actor, AuditLine};
use nora_kernel::{
    AgentId, ApiKeyId, BoxError, Caller, Idempotency, IdempotencyTaken, OpenError, Page, PageRequest, Reach, RequestId,
    Scope, Scopes, SealContext, SealError, Sealed, Secret, Timestamp, Unavailable, Vault, Workspace, WrappedKey,
};
use nora_testkit::samples::named;
use nora_testkit::{ManualClock, PlainVault, SequentialIds};
use uuid::Uuid;
use zeroize::Zeroizing;

/// Agents in memory, with a log of what was asked.
#[derive(Default)]
pub(crate) struct Store {
    pub(crate) agents: Mutex<BTreeMap<AgentId, StoredAgent>>,
    pub(crate) lines: Mutex<Vec<AuditLine>>,
    pub(crate) answers: Mutex<Vec<Idempotency>>,
    pub(crate) updates: Mutex<Vec<AgentUpdate>>,
    pub(crate) deleted: Mutex<Vec<(AgentId, Timestamp)>>,
    pub(crate) sync_requests: Mutex<Vec<AgentId>>,
    /// What the next update ends with instead of being done.
    pub(crate) update_fails: Mutex<Option<UpdateAgentError>>,
    /// What the next insertion ends with instead of being done.
    pub(crate) insert_fails: Mutex<Option<InsertAgentError>>,
    /// Agents that go away between a look-up and a change.
    pub(crate) vanishing: Mutex<Vec<AgentId>>,
}

impl Store {
    pub(crate) fn stored(&self, id: AgentId) -> StoredAgent {
        self.agents.lock().unwrap().get(&id).unwrap().clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.agents.lock().unwrap().len()
    }

    pub(crate) fn lines(&self) -> Vec<AuditLine> {
        self.lines.lock().unwrap().clone()
    }

    /// What the last update made of the target.
    pub(crate) fn last_target(&self) -> TargetUpdate {
        self.updates.lock().unwrap().last().unwrap().target.clone()
    }

    fn is_there(&self, reach: &Reach, id: AgentId) -> bool {
        let agents = self.agents.lock().unwrap();
        let within = agents.get(&id).is_some_and(|stored| reach.includes(&stored.agent.workspace));
        within && !self.vanishing.lock().unwrap().contains(&id)
    }
}

#[async_trait]
impl AgentStore for Store {
    async fn insert(
        &self,
        agent: &StoredAgent,
        line: &AuditLine,
        idempotency: Option<&Idempotency>,
    ) -> Result<(), InsertAgentError> {
        if let Some(error) = self.insert_fails.lock().unwrap().take() {
            return Err(error);
        }
        let mut agents = self.agents.lock().unwrap();
        if agents.contains_key(&agent.agent.id) {
            return Err(InsertAgentError::AgentExists);
        }
        agents.insert(agent.agent.id, agent.clone());
        self.lines.lock().unwrap().push(line.clone());
        self.answers.lock().unwrap().extend(idempotency.cloned());
        Ok(())
    }

    async fn find(&self, reach: &Reach, id: AgentId) -> Result<Option<StoredAgent>, Unavailable> {
        let found = self.agents.lock().unwrap().get(&id).cloned();
        Ok(found.filter(|stored| reach.includes(&stored.agent.workspace)))
    }

    async fn list(&self, workspace: &Workspace, page: PageRequest) -> Result<Page<Agent>, Unavailable> {
        let agents = self.agents.lock().unwrap();
        let own = agents.values().map(|stored| stored.agent.clone()).filter(|agent| agent.workspace == *workspace);
        Ok(Page::cut(own.collect(), page.limit, Agent::cursor))
    }

    async fn update(&self, update: &AgentUpdate, line: &AuditLine) -> Result<(), UpdateAgentError> {
        if let Some(error) = self.update_fails.lock().unwrap().take() {
            return Err(error);
        }
        let mut agents = self.agents.lock().unwrap();
        let stored = agents.get_mut(&update.id).ok_or(UpdateAgentError::NotFound)?;
        if stored.revision != update.revision {
            return Err(UpdateAgentError::Conflict);
        }
        match &update.target {
            TargetUpdate::Keep => {}
            TargetUpdate::Rekey(target) | TargetUpdate::Move { to: target, .. } => stored.target = target.clone(),
        }
        stored.revision += 1;
        self.lines.lock().unwrap().push(line.clone());
        self.updates.lock().unwrap().push(update.clone());
        Ok(())
    }

    async fn delete(
        &self,
        reach: &Reach,
        id: AgentId,
        purge_until: Timestamp,
        line: &AuditLine,
    ) -> Result<bool, Unavailable> {
        let there = self.is_there(reach, id);
        if there {
            self.deleted.lock().unwrap().push((id, purge_until));
            self.lines.lock().unwrap().push(line.clone());
        }
        Ok(there)
    }

    async fn request_sync(&self, reach: &Reach, id: AgentId, line: &AuditLine) -> Result<bool, Unavailable> {
        let there = self.is_there(reach, id);
        if there {
            self.sync_requests.lock().unwrap().push(id);
            self.lines.lock().unwrap().push(line.clone());
        }
        Ok(there)
    }
}

/// Device keys whose id is written on them.
#[derive(Default)]
pub(crate) struct Devices {
    made: AtomicU8,
}

pub(crate) fn device_id(seed: &str) -> String {
    format!("device of {seed}")
}

pub(crate) fn seed(number: u8) -> String {
    format!("{number:02x}").repeat(32)
}

pub(crate) fn public(seed: &str) -> DeviceIdentity {
    DeviceIdentity { device_id: device_id(seed), public_key: format!("public half of {seed}") }
}

fn device_key(seed: &str) -> DeviceKey {
    DeviceKey { public: public(seed), seed: secret(seed) }
}

impl DeviceKeys for Devices {
    fn generate(&self) -> Result<DeviceKey, BoxError> {
        let seed = seed(self.made.fetch_add(1, Ordering::SeqCst));
        Ok(device_key(&seed))
    }

    fn read(&self, seed: &Secret) -> Option<DeviceKey> {
        let seed = seed.expose().to_ascii_lowercase();
        let fits = seed.len() == 64 && seed.bytes().all(|byte| byte.is_ascii_hexdigit());
        fits.then(|| device_key(&seed))
    }
}

/// How a vault fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Health {
    Good,
    /// What was sealed before does not open.
    Forgetful,
    /// It does not answer.
    Down,
}

pub(crate) struct Keeper {
    inner: PlainVault,
    pub(crate) health: Mutex<Health>,
}

impl Keeper {
    fn health(&self) -> Health {
        *self.health.lock().unwrap()
    }

    fn up(&self) -> Result<(), SealError> {
        if self.health() == Health::Down { Err(SealError::Unavailable("down".into())) } else { Ok(()) }
    }
}

#[async_trait]
impl Vault for Keeper {
    async fn new_agent_key(&self, workspace: &Workspace, agent: AgentId) -> Result<WrappedKey, SealError> {
        self.up()?;
        self.inner.new_agent_key(workspace, agent).await
    }

    async fn seal(&self, key: &WrappedKey, context: &SealContext, plaintext: &[u8]) -> Result<Sealed, SealError> {
        self.up()?;
        self.inner.seal(key, context, plaintext).await
    }

    async fn open(
        &self,
        key: &WrappedKey,
        context: &SealContext,
        sealed: &Sealed,
    ) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        match self.health() {
            Health::Good => self.inner.open(key, context, sealed).await,
            Health::Forgetful => Err(OpenError::Unreadable),
            Health::Down => Err(OpenError::Unavailable("down".into())),
        }
    }
}

/// A server's agents.
pub(crate) struct Directory {
    pub(crate) store: Arc<Store>,
    pub(crate) vault: Arc<Keeper>,
    pub(crate) clock: ManualClock,
    pub(crate) agents: Agents,
}

impl Directory {
    /// One whose runtimes may live where they may by default, on this machine too.
    pub(crate) fn new() -> Self {
        Self::calling(NetworkPolicy::runtimes_by_default(true))
    }

    pub(crate) fn calling(policy: NetworkPolicy) -> Self {
        let (store, clock) = (Arc::new(Store::default()), ManualClock::new());
        let vault = Arc::new(Keeper { inner: PlainVault::new(), health: Mutex::new(Health::Good) });
        let agents = Agents {
            store: Arc::<Store>::clone(&store),
            vault: Arc::<Keeper>::clone(&vault),
            device_keys: Arc::new(Devices::default()),
            rules: AddressRules { policy },
            ids: Arc::new(SequentialIds::new()),
            clock: Arc::new(clock.clone()),
        };
        Self { store, vault, clock, agents }
    }

    pub(crate) async fn create(&self, request: CreateAgent) -> Result<Agent, CreateAgentError> {
        self.agents.create(&caller("alpha"), request).await
    }

    /// An agent at `http://10.0.0.1:9090` that is spoken to with the token `old`.
    pub(crate) async fn nora(&self) -> Agent {
        self.create(nora("http://10.0.0.1:9090", "old")).await.unwrap()
    }

    pub(crate) async fn change(&self, id: AgentId, request: ChangeAgent) -> Result<Agent, ChangeAgentError> {
        self.agents.change(&caller("alpha"), id, request).await
    }

    /// What opens the runtime as it is stored now.
    pub(crate) async fn secrets(&self, id: AgentId) -> RuntimeSecrets {
        let stored = self.store.stored(id);
        stored.target.open(self.vault.as_ref(), &stored.key).await.unwrap()
    }

    /// The runtime's token, the gateway's, and the seed of the device key, as they are stored now.
    pub(crate) async fn exposed(&self, id: AgentId) -> [Option<String>; 3] {
        let RuntimeSecrets { token, gateway_token, device_key } = self.secrets(id).await;
        [token, gateway_token, device_key].map(|secret| secret.map(|secret| secret.expose().to_owned()))
    }

    pub(crate) fn is(&self, health: Health) {
        *self.vault.health.lock().unwrap() = health;
    }
}

pub(crate) fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

/// Somebody in a workspace with every scope but `admin`.
pub(crate) fn caller(workspace: &str) -> Caller {
    Caller {
        actor: Actor::ApiKey(ApiKeyId::from_uuid(Uuid::from_u128(1))),
        workspace: named(workspace),
        scopes: Scope::ALL.iter().copied().collect::<Scopes>().without(Scope::Admin),
        request: RequestId::from_uuid(Uuid::from_u128(2)),
    }
}

/// An admin who is at home in a workspace.
pub(crate) fn admin(workspace: &str) -> Caller {
    Caller { scopes: Scopes::NONE.with(Scope::Admin), ..caller(workspace) }
}

pub(crate) fn runtime(kind: RuntimeKind, url: Option<&str>, token: Option<&str>) -> RuntimeInput {
    RuntimeInput { kind, url: url.map(str::to_owned), token: token.map(secret) }
}

pub(crate) fn gateway(url: &str, token: &str) -> GatewayInput {
    GatewayInput { url: url.to_owned(), token: secret(token), device_key: None }
}

pub(crate) fn request(runtime: RuntimeInput, gateway: Option<GatewayInput>) -> CreateAgent {
    CreateAgent { id: None, name: named("An agent"), runtime, gateway, workspace: None, idempotency: None }
}

pub(crate) fn nora(url: &str, token: &str) -> CreateAgent {
    request(runtime(RuntimeKind::Nora, Some(url), Some(token)), None)
}

/// An agent that is a gateway and nothing else.
pub(crate) fn openclaw(url: &str) -> CreateAgent {
    request(runtime(RuntimeKind::Openclaw, None, None), Some(gateway(url, "shared")))
}

/// The error of a request that was answered before.
pub(crate) fn taken() -> InsertAgentError {
    InsertAgentError::IdempotencyTaken(IdempotencyTaken)
}
