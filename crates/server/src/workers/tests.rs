//! The loop and many agents, on a clock that jumps to whatever happens next.

mod homes;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use nora_agents::{AddressRules, Agents, CreateAgent, GatewayInput, RuntimeInput, RuntimeKind};
use nora_catalog::{Catalog, Options};
use nora_integrations::ports::{
    Applied, FailureClass, Health, Ledger, OwnedVariable, Push, PushError, RuntimeAddress, RuntimeClient, TestContexts,
    Variable, VariableState,
};
use nora_integrations::{ChangeIntegration, Connect, Connections, Integration, Reconciler, TestLimiter};
use nora_kernel::address::{NetworkPolicy, Networks};
use nora_kernel::audit::Actor;
use nora_kernel::{AgentId, ApiKeyId, Caller, Clock, RequestId, Scope, Scopes, Secret, Timestamp};
use nora_provider_sdk::{Context, Declarative};
use nora_runtime_client::{RingDeviceKeys, Runtimes};
use nora_testkit::samples::named;
use nora_testkit::{InMemory, ManualClock, PlainDigest, PlainVault, SequentialBytes, SequentialIds};
use prometheus_client::registry::Registry;
use serde_json::Map;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use homes::{Home, StandStill};

use super::ReconcilerLoop;
use super::counted::Counted;
use crate::metrics::SyncMetrics;
use crate::workers::Stopper;

/// Tells the stores the time of tokio's clock.
struct TokioTime {
    stores: ManualClock,
    begun: Instant,
    told: Mutex<Duration>,
}

impl Clock for TokioTime {
    fn now(&self) -> Timestamp {
        let mut told = self.told.lock().unwrap();
        let elapsed = self.begun.elapsed();
        let since = elapsed.saturating_sub(std::mem::replace(&mut *told, elapsed));
        self.stores.advance(since)
    }
}

/// What a runtime holds: the generation and the environment.
type Held = (u64, BTreeMap<String, String>);

/// A machine with every agent's runtime on it. When it is down, every second runtime is silent instead of refusing.
#[derive(Default)]
struct Machine {
    down: AtomicBool,
    held: Mutex<BTreeMap<AgentId, Held>>,
    pushes: AtomicU64,
    checks: AtomicU64,
    /// Speaks to those of its runtimes that are not of kind `nora`.
    others: Option<Runtimes>,
}

impl Machine {
    fn others(&self, address: &RuntimeAddress) -> Option<(&Runtimes, StandStill)> {
        let is_other = address.kind != RuntimeKind::Nora;
        self.others.as_ref().filter(|_| is_other).map(|others| (others, StandStill::begin()))
    }

    async fn answer(&self, agent: AgentId) -> Result<(), PushError> {
        if !self.down.load(Ordering::SeqCst) {
            sleep(Duration::from_millis(20)).await;
            return Ok(());
        }
        let silent = agent.as_uuid().as_u128().is_multiple_of(2);
        sleep(Duration::from_secs(if silent { 10 } else { 0 })).await;
        Err(PushError::failed(if silent { FailureClass::Timeout } else { FailureClass::Refused }))
    }

    fn env(&self, agent: AgentId) -> BTreeMap<String, String> {
        self.held.lock().unwrap().get(&agent).map(|(_, env)| env.clone()).unwrap_or_default()
    }
}

#[async_trait]
impl RuntimeClient for Machine {
    async fn apply(&self, address: &RuntimeAddress, push: &Push, ledger: &dyn Ledger) -> Result<Applied, PushError> {
        self.pushes.fetch_add(1, Ordering::SeqCst);
        self.answer(address.agent).await?;
        if let Some((others, _still)) = self.others(address) {
            return others.apply(address, push, ledger).await;
        }
        let env = push.env.iter().map(|(name, value)| (name.to_string(), value.expose().to_owned())).collect();
        self.held.lock().unwrap().insert(push.agent, (push.generation, env));
        let live =
            |name: &nora_kernel::EnvName| Variable { name: name.clone(), state: VariableState::Live, reason: None };
        Ok(Applied { variables: push.env.iter().map(|(name, _)| live(name)).collect() })
    }

    async fn health(&self, address: &RuntimeAddress, owned: &[OwnedVariable]) -> Result<Option<Health>, PushError> {
        self.checks.fetch_add(1, Ordering::SeqCst);
        self.answer(address.agent).await?;
        if let Some((others, _still)) = self.others(address) {
            return others.health(address, owned).await;
        }
        let held = self.held.lock().unwrap();
        let generation = held.get(&address.agent).map(|(generation, _)| *generation);
        Ok(Some(Health { agent: generation.map(|_| address.agent), generation }))
    }
}

struct Nothing;

impl TestContexts for Nothing {
    fn open(&self) -> Box<dyn Context> {
        panic!("no connection is tested here")
    }
}

/// A provider with a token and nineteen more secrets, each a variable.
fn catalog() -> Arc<Catalog> {
    let mut text = "id = \"many\"\nname = \"Many\"\ncategory = \"data\"\ndescription = \"Has many secrets.\"\n\
                    docs_url = \"https://many.example/docs\"\nauth_type = \"token\"\n"
        .to_owned();
    for number in 0..20 {
        let required = number == 0;
        write!(
            text,
            "[[fields]]\nname = \"secret_{number}\"\ntitle = \"Secret\"\nsecret = true\nrequired = {required}\n\
             env = \"MANY_{number}\"\n"
        )
        .unwrap();
    }
    text.push_str(
        "[test]\nurl = \"https://many.example/me\"\nheaders = { Authorization = \"Bearer {secret_0}\" }\n\
         success = { json = { pointer = \"/id\", exists = true } }\n",
    );
    let provider = Declarative::parse("many.toml", &text).unwrap_or_else(|error| panic!("{error}"));
    let options = Options {
        disabled: std::collections::BTreeSet::new(),
        policy: NetworkPolicy::third_parties(Networks::default()),
    };
    let providers: [Arc<dyn nora_provider_sdk::Provider>; 1] = [Arc::new(provider)];
    Arc::new(Catalog::build(providers, &options, Arc::new(PlainDigest)).unwrap())
}

fn caller() -> Caller {
    Caller {
        actor: Actor::ApiKey(ApiKeyId::from_uuid(Uuid::from_u128(1))),
        workspace: named("alpha"),
        scopes: Scope::ALL.iter().copied().collect::<Scopes>().without(Scope::Admin),
        request: RequestId::from_uuid(Uuid::from_u128(2)),
    }
}

fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

/// A server without its HTTP API, its loop running.
struct World {
    clock: Arc<TokioTime>,
    machine: Arc<Machine>,
    store: Arc<Counted>,
    agents: Agents,
    connections: Connections,
    _stopper: Stopper,
}

impl World {
    fn start() -> Self {
        Self::with(None)
    }

    /// With whoever speaks to runtimes of other kinds than `nora`.
    fn with(others: Option<Runtimes>) -> Self {
        let manual = ManualClock::new();
        let stores = Arc::new(InMemory::new(manual.clone()));
        let clock = Arc::new(TokioTime { stores: manual, begun: Instant::now(), told: Mutex::default() });
        let (vault, ids) = (Arc::new(PlainVault::new()), Arc::new(SequentialIds::new()));
        let (machine, catalog) = (Arc::new(Machine { others, ..Machine::default() }), catalog());
        let store = Arc::new(Counted::new(Arc::<InMemory>::clone(&stores)));
        let agents = Agents {
            store: Arc::<InMemory>::clone(&stores),
            vault: Arc::<PlainVault>::clone(&vault),
            device_keys: Arc::new(RingDeviceKeys),
            rules: AddressRules { policy: NetworkPolicy::runtimes_by_default(true) },
            ids: Arc::<SequentialIds>::clone(&ids),
            clock: Arc::<TokioTime>::clone(&clock),
        };
        let connections = Connections {
            catalog: Arc::clone(&catalog),
            store: Arc::<InMemory>::clone(&stores),
            sync: Arc::<InMemory>::clone(&stores),
            vault: Arc::<PlainVault>::clone(&vault),
            contexts: Arc::new(Nothing),
            limiter: Arc::new(TestLimiter::default()),
            ids: Arc::<SequentialIds>::clone(&ids),
            clock: Arc::<TokioTime>::clone(&clock),
        };
        let reconciler = Reconciler {
            catalog,
            store: Arc::<Counted>::clone(&store),
            vault,
            runtimes: Arc::<Machine>::clone(&machine),
            ids,
            clock: Arc::<TokioTime>::clone(&clock),
            entropy: Arc::new(SequentialBytes::new()),
        };
        let (stopper, metrics) = (Stopper::new(), SyncMetrics::register(&mut Registry::default()));
        let worker = ReconcilerLoop {
            reconciler,
            store: Arc::<Counted>::clone(&store),
            clock: Arc::<TokioTime>::clone(&clock),
            metrics,
        };
        tokio::spawn(worker.run(stopper.listener()));
        Self { clock, machine, store, agents, connections, _stopper: stopper }
    }

    async fn register(&self) -> AgentId {
        let (runtime, gateway) = Home::Machine.input();
        self.register_at(runtime, gateway).await
    }

    async fn register_at(&self, runtime: RuntimeInput, gateway: Option<GatewayInput>) -> AgentId {
        let name = named("An agent");
        let request = CreateAgent { id: None, name, runtime, gateway, workspace: None, idempotency: None };
        self.now();
        self.agents.create(&caller(), request).await.unwrap().id
    }

    /// Connects with this many secrets.
    async fn connect(&self, agent: AgentId, label: &str, secrets: usize) -> Integration {
        let config: Map<String, serde_json::Value> =
            (1..secrets).map(|number| (format!("secret_{number}"), "s".into())).collect();
        let request = Connect {
            agent,
            provider: Some("many".to_owned()),
            token: Some(secret("first")),
            config,
            label: named(label),
            idempotency: None,
        };
        self.now();
        self.connections.connect(&caller(), request).await.unwrap()
    }

    async fn rotate(&self, integration: &Integration, token: &str) {
        let Integration { id, agent, .. } = *integration;
        self.now();
        let change = ChangeIntegration { agent, id, token: Some(secret(token)), config: None };
        self.connections.change(&caller(), change).await.unwrap();
    }

    async fn remove(&self, integration: &Integration) {
        self.now();
        self.connections.remove(&caller(), integration.agent, integration.id).await.unwrap();
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

/// An agent that has two integrations, loses one of them, and is given another while nobody can tell it.
struct Resident {
    home: Home,
    agent: AgentId,
    kept: Integration,
    goes: Integration,
    secrets: usize,
}

impl Resident {
    /// With 20 variables at most, as many as a gateway takes at once.
    async fn move_in(world: &World, number: usize) -> Self {
        let (home, secrets) = (Home::open(number).await, 1 + number % 10);
        let (runtime, gateway) = home.input();
        let agent = world.register_at(runtime, gateway).await;
        let kept = world.connect(agent, "default", secrets).await;
        let goes = world.connect(agent, "work", secrets).await;
        Self { home, agent, kept, goes, secrets }
    }

    async fn change(&self, world: &World) {
        world.rotate(&self.kept, "rotated").await;
        world.remove(&self.goes).await;
        world.connect(self.agent, "play", self.secrets).await;
    }

    fn holds_two(&self, world: &World) -> bool {
        self.home.holds(&world.machine, self.agent, 2, 2 * self.secrets)
    }

    fn is_in_step(&self, world: &World) -> bool {
        let live = self.home.live(&world.machine, self.agent);
        let is_rotated = matches!(self.home, Home::Sidecar(_)) || live.get("MANY_0").is_some_and(|it| it == "rotated");
        self.holds_two(world) && is_rotated && !self.holds_deleted(world)
    }

    fn holds_deleted(&self, world: &World) -> bool {
        self.home.live(&world.machine, self.agent).keys().any(|name| name.ends_with("__WORK"))
    }
}

#[tokio::test(start_paused = true)]
async fn two_hundred_agents_of_all_kinds_that_were_down_for_ten_minutes_are_in_step_within_a_minute() {
    let world = World::with(Some(homes::runtimes()));
    let mut residents = Vec::new();
    for number in 0..200 {
        residents.push(Resident::move_in(&world, number).await);
    }
    sleep(Duration::from_mins(2)).await;
    assert!(residents.iter().all(|one| one.holds_two(&world)), "all in step at first");

    world.machine.down.store(true, Ordering::SeqCst);
    for one in &residents {
        one.change(&world).await;
        sleep(Duration::from_secs(3)).await;
    }
    assert!(residents.iter().all(|one| !one.is_in_step(&world) || matches!(one.home, Home::Sidecar(_))));
    let back = Instant::now();
    world.machine.down.store(false, Ordering::SeqCst);
    let mut waited = Vec::new();
    let mut missing: Vec<&Resident> = residents.iter().collect();
    while !missing.is_empty() && back.elapsed() < Duration::from_mins(5) {
        sleep(Duration::from_millis(100)).await;
        let before = missing.len();
        missing.retain(|one| !one.is_in_step(&world));
        waited.extend((missing.len()..before).map(|_| back.elapsed()));
    }
    assert_eq!(missing.len(), 0, "some never came back");
    let p99 = waited[waited.len() * 99 / 100];
    assert!(p99 <= Duration::from_mins(1), "p99 is {p99:?}, the last one {:?}", waited.last());
    assert!(!residents.iter().any(|one| one.holds_deleted(&world)), "a deleted credential is live");
}

/// Work grows with the number of agents, and not with the number of looks: a thousand are asked in as many wake-ups as
/// ten thousand would be.
#[tokio::test(start_paused = true)]
async fn a_thousand_idle_agents_cost_one_look_in_two_seconds_and_twelve_checks_an_hour() {
    let world = World::start();
    for _ in 0..1000 {
        world.register().await;
    }
    sleep(Duration::from_mins(10)).await;
    world.machine.pushes.store(0, Ordering::SeqCst);
    world.machine.checks.store(0, Ordering::SeqCst);
    world.store.reset();
    sleep(Duration::from_hours(1)).await;
    let checks = world.machine.checks.load(Ordering::SeqCst);
    assert_eq!(world.machine.pushes.load(Ordering::SeqCst), 0, "nothing changed");
    // The interval is shortened by up to a fifth, so that checks spread.
    assert!((11_000..=16_000).contains(&checks), "{checks} checks");
    let (looks, others) = (world.store.looks(), world.store.others());
    assert!(looks <= 2 * 3600, "{looks} looks for work in an hour");
    assert!(others <= checks, "{others} other calls for {checks} checks");
}

/// One is asked for ten seconds, together with others who answer at once.
#[tokio::test(start_paused = true)]
async fn a_silent_runtime_holds_up_no_other_check() {
    let world = World::start();
    let mut agents = Vec::new();
    for _ in 0..8 {
        agents.push(world.register().await);
    }
    sleep(Duration::from_mins(1)).await;
    world.machine.down.store(true, Ordering::SeqCst);
    let silent = agents.iter().filter(|agent| agent.as_uuid().as_u128().is_multiple_of(2)).count();
    assert!((1..8).contains(&silent), "{silent}");
    while world.machine.checks.load(Ordering::SeqCst) < 8 {
        sleep(Duration::from_millis(100)).await;
    }
    sleep(Duration::from_secs(1)).await;
    assert_eq!(world.store.agreed(), 8 - silent);
    sleep(Duration::from_secs(10)).await;
    assert_eq!(world.store.agreed(), 8);
}
