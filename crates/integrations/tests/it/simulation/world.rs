//! A world out of a seed.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use nora_agents::{AddressRules, Agents};
use nora_catalog::Catalog;
use nora_integrations::ports::{RuntimeClient, SyncStore};
use nora_integrations::{Connections, Reconciler, TestLimiter};
use nora_kernel::address::NetworkPolicy;
use nora_testkit::{InMemory, ManualClock, PlainVault, SequentialBytes, SequentialIds};

use super::chance::Chance;
use super::leases::Leases;
use super::network::Network;
use super::people::People;
use super::schedule::{Schedule, Worker};
use crate::support::{NoDevices, Offline, Probe, catalog};

/// What runtimes are like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// They refuse older generations and can be asked what they hold. Against them the network may do anything, and
    /// a process may be paused for as long as it likes.
    Fenced,
    /// They take what comes, piece by piece, and cannot be asked. What is sent to them ends with its call, a worker
    /// gives up when its lease runs out, and nobody moves in before the one who left is purged.
    Unfenced,
}

/// Puts something wrong before something right.
type Spoils<T> = fn(Arc<T>) -> Arc<T>;

/// What is wrong with a world, in order to be found.
#[derive(Default)]
pub(super) struct Flaw {
    pub(super) store: Option<Spoils<dyn SyncStore>>,
    pub(super) runtimes: Option<Spoils<dyn RuntimeClient>>,
    pub(super) forgets_order: bool,
    pub(super) pauses: bool,
}

/// Plays one schedule and says which law was broken, with the whole story if it is asked for.
pub(super) fn play(seed: u64, kind: Kind, story: bool) -> Result<(), String> {
    play_flawed(seed, kind, story, &Flaw::default())
}

pub(super) fn play_flawed(seed: u64, kind: Kind, story: bool, flaw: &Flaw) -> Result<(), String> {
    let mut schedule = schedule(seed, kind, flaw);
    schedule.story = story.then(Vec::new);
    schedule.run().map_err(|broken| {
        let story = schedule.story.take().unwrap_or_default().join("\n");
        format!("{story}\n{broken}")
    })
}

/// How often each end of a step is met in a schedule.
pub(super) fn ends(seed: u64, kind: Kind) -> BTreeMap<String, u32> {
    let mut schedule = schedule(seed, kind, &Flaw::default());
    schedule.run().unwrap();
    schedule.ends
}

/// Every schedule's providers; they are never called.
fn providers() -> Arc<Catalog> {
    static PROVIDERS: OnceLock<Arc<Catalog>> = OnceLock::new();
    Arc::clone(PROVIDERS.get_or_init(|| catalog(&Arc::new(Probe::new(ManualClock::new())), &[])))
}

fn schedule(seed: u64, kind: Kind, flaw: &Flaw) -> Schedule {
    let (clock, ids, vault) = (ManualClock::new(), Arc::new(SequentialIds::new()), Arc::new(PlainVault::new()));
    let stores = Arc::new(InMemory::new(clock.clone()));
    let agents = Agents {
        store: Arc::<InMemory>::clone(&stores),
        vault: Arc::<PlainVault>::clone(&vault),
        device_keys: Arc::new(NoDevices),
        rules: AddressRules { policy: NetworkPolicy::runtimes_by_default(true) },
        ids: Arc::<SequentialIds>::clone(&ids),
        clock: Arc::new(clock.clone()),
    };
    let connections = Connections {
        catalog: providers(),
        store: Arc::<InMemory>::clone(&stores),
        sync: Arc::<InMemory>::clone(&stores),
        vault: Arc::<PlainVault>::clone(&vault),
        contexts: Arc::new(Offline(clock.clone())),
        limiter: Arc::new(TestLimiter::default()),
        ids: Arc::<SequentialIds>::clone(&ids),
        clock: Arc::new(clock.clone()),
    };
    let (network, leases) = (Arc::new(Network::new(kind == Kind::Fenced)), Arc::<Leases>::default());
    network.net().forgets_order = flaw.forgets_order;
    let sync: Arc<dyn SyncStore> = Arc::<InMemory>::clone(&stores);
    let sync = flaw.store.map_or(Arc::clone(&sync), |flawed| flawed(sync));
    let worker = |index: usize| {
        Worker::new(index, Arc::clone(&sync), &network, &leases, |store, line| Reconciler {
            catalog: providers(),
            store,
            vault: Arc::<PlainVault>::clone(&vault),
            runtimes: flaw.runtimes.map_or(Arc::clone(&line), |flawed| flawed(line)),
            ids: Arc::<SequentialIds>::clone(&ids),
            clock: Arc::new(clock.clone()),
            entropy: Arc::new(SequentialBytes::new()),
        })
    };
    let workers = (0..3).map(worker).collect();
    let people = People::new(stores, agents, connections, kind == Kind::Unfenced);
    let pauses = kind == Kind::Fenced || flaw.pauses;
    Schedule {
        chance: Chance::new(seed),
        clock,
        network,
        leases,
        people,
        workers,
        pauses,
        ends: BTreeMap::new(),
        story: None,
    }
}
