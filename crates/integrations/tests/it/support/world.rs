//! A server, without its network and its disk.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use nora_agents::ports::{DeviceKey, DeviceKeys};
use nora_agents::{AddressRules, Agents, CreateAgent, RuntimeInput, RuntimeKind};
use nora_catalog::{Catalog, Options};
use nora_integrations::ports::{Claim, SyncRecord, SyncStore as _};
use nora_integrations::{
    ChangeError, ChangeIntegration, Connect, ConnectError, Connections, Integration, Reconciler, Step,
    StoredIntegration, SyncView, TestLimiter,
};
use nora_kernel::address::NetworkPolicy;
use nora_kernel::audit::{Actor, AuditLine};
use nora_kernel::{
    AgentId, ApiKeyId, BoxError, Caller, Clock as _, Entropy, PageLimit, PageRequest, Reach, RequestId, Scope, Scopes,
    Secret, TargetId,
};
use nora_testkit::samples::named;
use nora_testkit::{InMemory, ManualClock, PlainDigest, SequentialIds, Stores as _};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::providers::{Offline, Probe, all};
use super::{Keeper, Runtime};

/// A server's connections and reconciler, and everything they touch.
pub(crate) struct World {
    pub(crate) stores: Arc<InMemory>,
    pub(crate) clock: ManualClock,
    pub(crate) vault: Arc<Keeper>,
    pub(crate) runtime: Arc<Runtime>,
    pub(crate) probe: Arc<Probe>,
    pub(crate) agents: Agents,
    pub(crate) connections: Connections,
    pub(crate) reconciler: Reconciler,
}

/// A connect request in few words. An empty token is none.
pub(crate) struct Asked<'a> {
    pub(crate) provider: &'a str,
    pub(crate) token: &'a str,
    pub(crate) config: Value,
    pub(crate) label: &'a str,
}

impl<'a> Asked<'a> {
    pub(crate) fn github(token: &'a str) -> Self {
        Self { provider: "github", token, config: json!({}), label: "default" }
    }

    pub(crate) fn hub(token: &'a str) -> Self {
        Self { provider: "hub", ..Self::github(token) }
    }

    pub(crate) fn labelled(self, label: &'a str) -> Self {
        Self { label, ..self }
    }

    pub(crate) fn with(self, config: Value) -> Self {
        Self { config, ..self }
    }

    /// The same words as a change.
    pub(crate) fn change(&self, of: &Integration) -> ChangeIntegration {
        change_of(of, self.token, &self.config)
    }

    pub(crate) fn request(&self, agent: AgentId) -> Connect {
        Connect {
            agent,
            provider: Some(self.provider.to_owned()),
            token: (!self.token.is_empty()).then(|| secret(self.token)),
            config: object(&self.config),
            label: named(self.label),
            idempotency: None,
        }
    }
}

/// No chance at all.
struct Still;

impl Entropy for Still {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), BoxError> {
        buffer.fill(0);
        Ok(())
    }
}

/// There are no gateways.
pub(crate) struct NoDevices;

impl DeviceKeys for NoDevices {
    fn generate(&self) -> Result<DeviceKey, BoxError> {
        Err("there are no gateways here".into())
    }

    fn read(&self, _: &Secret) -> Option<DeviceKey> {
        None
    }
}

impl World {
    pub(crate) fn new() -> Self {
        let clock = ManualClock::new();
        let stores = Arc::new(InMemory::new(clock.clone()));
        let (vault, probe) = (Arc::new(Keeper::new()), Arc::new(Probe::new(clock.clone())));
        let (runtime, ids) = (Arc::new(Runtime::new(clock.clone())), Arc::new(SequentialIds::new()));
        let agents = Agents {
            store: Arc::<InMemory>::clone(&stores),
            vault: Arc::<Keeper>::clone(&vault),
            device_keys: Arc::new(NoDevices),
            rules: AddressRules { policy: NetworkPolicy::runtimes_by_default(true) },
            ids: Arc::<SequentialIds>::clone(&ids),
            clock: Arc::new(clock.clone()),
        };
        let connections = Connections {
            catalog: catalog(&probe, &[]),
            store: Arc::<InMemory>::clone(&stores),
            sync: Arc::<InMemory>::clone(&stores),
            vault: Arc::<Keeper>::clone(&vault),
            contexts: Arc::new(Offline(clock.clone())),
            limiter: Arc::new(TestLimiter::default()),
            ids: Arc::<SequentialIds>::clone(&ids),
            clock: Arc::new(clock.clone()),
        };
        let reconciler = Reconciler {
            catalog: Arc::clone(&connections.catalog),
            store: Arc::<InMemory>::clone(&stores),
            vault: Arc::<Keeper>::clone(&vault),
            runtimes: Arc::<Runtime>::clone(&runtime),
            ids,
            clock: Arc::new(clock.clone()),
            entropy: Arc::new(Still),
        };
        Self { stores, clock, vault, runtime, probe, agents, connections, reconciler }
    }

    /// The same server after a restart with these providers disabled.
    pub(crate) fn disabling(mut self, providers: &[&str]) -> Self {
        self.connections.catalog = catalog(&self.probe, providers);
        self.reconciler.catalog = Arc::clone(&self.connections.catalog);
        self
    }

    /// The same server after a restart without any provider.
    pub(crate) fn forgetting_providers(mut self) -> Self {
        let options = Options { disabled: BTreeSet::new(), policy: NetworkPolicy::runtimes_by_default(true) };
        self.connections.catalog = Arc::new(Catalog::build([], &options, Arc::new(PlainDigest)).unwrap());
        self.reconciler.catalog = Arc::clone(&self.connections.catalog);
        self
    }

    /// Registers an agent that lives at `url`, whose runtime has not been pushed to yet.
    pub(crate) async fn agent_at(&self, url: &str) -> AgentId {
        let runtime =
            RuntimeInput { kind: RuntimeKind::Nora, url: Some(url.to_owned()), token: Some(secret("runtime")) };
        let request = CreateAgent {
            id: None,
            name: named("An agent"),
            runtime,
            gateway: None,
            workspace: None,
            idempotency: None,
        };
        self.agents.create(&caller(), request).await.unwrap().id
    }

    pub(crate) async fn agent(&self) -> AgentId {
        self.agent_at(URL).await
    }

    /// An agent whose runtime confirmed its first, empty state.
    pub(crate) async fn synced_agent(&self) -> AgentId {
        let agent = self.agent().await;
        assert_eq!(self.step().await, Step::Synced);
        self.runtime.seen();
        agent
    }

    pub(crate) async fn try_connect(&self, agent: AgentId, asked: Asked<'_>) -> Result<Integration, ConnectError> {
        self.connections.connect(&caller(), asked.request(agent)).await
    }

    pub(crate) async fn connect(&self, agent: AgentId, asked: Asked<'_>) -> Integration {
        self.try_connect(agent, asked).await.unwrap()
    }

    /// Sends a change. An empty token is none.
    pub(crate) async fn change(
        &self,
        of: &Integration,
        token: &str,
        config: Value,
    ) -> Result<Integration, ChangeError> {
        self.connections.change(&caller(), change_of(of, token, &config)).await
    }

    pub(crate) async fn remove(&self, integration: &Integration) {
        self.connections.remove(&caller(), integration.agent, integration.id).await.unwrap();
    }

    pub(crate) async fn list(&self, agent: AgentId) -> Vec<Integration> {
        self.connections.list(&caller(), agent).await.unwrap().unwrap()
    }

    pub(crate) async fn stored(&self, integration: &Integration) -> StoredIntegration {
        self.connections.find(&caller(), integration.agent, integration.id).await.unwrap().unwrap()
    }

    /// The secrets of an integration as they are stored now: `field=value`.
    pub(crate) async fn secrets(&self, integration: &Integration) -> Vec<String> {
        let (agent, id) = (integration.agent, integration.id);
        let (stored, key) = self.connections.store.find(&Reach::Everything, agent, id).await.unwrap().unwrap();
        let secrets = stored.open(self.vault.as_ref(), &key).await.unwrap();
        let shown: Vec<_> = secrets.fields().map(|field| text_of(&secrets, field.as_str())).collect();
        assert_eq!(stored.integration.secret_fields, secrets.fields().cloned().collect::<Vec<_>>());
        shown
    }

    pub(crate) async fn record(&self, agent: AgentId) -> SyncRecord {
        self.stores.state(&Reach::Everything, agent).await.unwrap().unwrap()
    }

    pub(crate) async fn view(&self, agent: AgentId) -> SyncView {
        self.connections.sync_view(&caller(), agent).await.unwrap().unwrap()
    }

    /// The trail, oldest line first.
    pub(crate) async fn lines(&self) -> Vec<AuditLine> {
        let page = PageRequest { limit: PageLimit::MAX, after: None };
        let mut lines = self.stores.audit().list(&named("alpha"), page).await.unwrap().items;
        lines.reverse();
        lines
    }

    pub(crate) async fn last_line(&self) -> AuditLine {
        self.lines().await.pop().unwrap()
    }

    /// Leases everything that is due.
    pub(crate) async fn claims(&self) -> Vec<Claim> {
        self.stores.claim(10, Duration::from_secs(15), self.clock.now()).await.unwrap()
    }

    /// Leases the one target that is due.
    pub(crate) async fn claim(&self) -> Claim {
        let claims = self.claims().await;
        let [claim] = claims.as_slice() else { panic!("one target should be due: {claims:?}") };
        claim.clone()
    }

    /// Does what the one target that is due asks for.
    pub(crate) async fn step(&self) -> Step {
        self.run(&self.claim().await).await
    }

    pub(crate) async fn run(&self, claim: &Claim) -> Step {
        self.reconciler.run(claim).await.unwrap()
    }

    /// Steps until nothing is due now.
    pub(crate) async fn settle(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        loop {
            let claims = self.claims().await;
            if claims.is_empty() {
                return steps;
            }
            for claim in claims {
                steps.push(self.run(&claim).await);
            }
            assert!(steps.len() < 100, "it goes round in circles: {steps:?}");
        }
    }

    pub(crate) async fn is_quiet(&self) -> bool {
        self.claims().await.is_empty()
    }

    pub(crate) fn wait(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// The live target of an agent.
    pub(crate) async fn target(&self, agent: AgentId) -> TargetId {
        self.agents.find(&caller(), agent).await.unwrap().unwrap().target.id
    }

    /// What the runtime of [`agent`](Self::agent) has now: `NAME=value`, by name.
    pub(crate) fn env(&self) -> Vec<String> {
        self.runtime.env(&format!("{URL}/"))
    }
}

const URL: &str = "http://10.0.0.1:9090";

pub(crate) fn catalog(probe: &Arc<Probe>, disabled: &[&str]) -> Arc<Catalog> {
    let disabled: BTreeSet<_> = disabled.iter().map(|id| named(id)).collect();
    let policy = NetworkPolicy::third_parties("10.0.0.0/8".parse().unwrap());
    Arc::new(Catalog::build(all(probe), &Options { disabled, policy }, Arc::new(PlainDigest)).unwrap())
}

fn change_of(of: &Integration, token: &str, config: &Value) -> ChangeIntegration {
    let token = (!token.is_empty()).then(|| secret(token));
    ChangeIntegration { agent: of.agent, id: of.id, token, config: Some(object(config)) }
}

/// Somebody in workspace `alpha` with every scope but `admin`.
pub(crate) fn caller() -> Caller {
    Caller {
        actor: Actor::ApiKey(ApiKeyId::from_uuid(Uuid::from_u128(1))),
        workspace: named("alpha"),
        scopes: Scope::ALL.iter().copied().collect::<Scopes>().without(Scope::Admin),
        request: RequestId::from_uuid(Uuid::from_u128(2)),
    }
}

/// An admin who is at home in another workspace.
pub(crate) fn admin() -> Caller {
    let actor = Actor::ApiKey(ApiKeyId::from_uuid(Uuid::from_u128(3)));
    Caller { actor, workspace: named("beta"), scopes: Scopes::NONE.with(Scope::Admin), ..caller() }
}

pub(crate) fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

pub(crate) fn object(value: &Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

/// `field=value`
pub(crate) fn text_of(secrets: &nora_kernel::SecretMap, field: &str) -> String {
    format!("{field}={}", secrets.get(field).unwrap().expose())
}
