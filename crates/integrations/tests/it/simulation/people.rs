//! What people do to their agents, and what every agent should have had at every generation.
#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use nora_agents::{Agents, ChangeAgent, CreateAgent, Patch, RuntimeChange, RuntimeInput, RuntimeKind};
use nora_integrations::ports::{SyncRecord, SyncStore as _};
use nora_integrations::{Connections, Integration};
use nora_kernel::{AgentId, Reach, TargetId, Timestamp};
use nora_testkit::InMemory;
use nora_testkit::samples::named;
use serde_json::json;

use super::chance::Chance;
use super::network::{Env, Message, URLS};
use crate::support::{Asked, caller, secret};

/// What somebody does.
#[derive(Debug, Clone, Copy)]
pub(super) enum Deed {
    Register,
    Connect,
    Rotate,
    Disconnect,
    Rekey,
    Move,
    Delete,
    RequestSync,
}

/// A place an agent lives or lived at.
pub(super) struct Home {
    pub(super) target: TargetId,
    pub(super) url: usize,
    token: String,
    /// The generation it is empty from.
    pub(super) retired: Option<u64>,
    /// When its purge may be given up.
    pub(super) until: Timestamp,
    pub(super) end: Option<End>,
}

/// How a retired home was forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Purged,
    Abandoned,
}

/// Everything there is to know about an agent, without any of the product's code.
pub(super) struct Known {
    pub(super) id: AgentId,
    pub(super) homes: Vec<Home>,
    pub(super) deleted: bool,
    connected: Vec<(Integration, String)>,
    history: BTreeMap<u64, Env>,
}

impl Home {
    pub(super) fn machine(&self) -> usize {
        URLS.get(self.url).unwrap().1
    }
}

impl Known {
    /// The place it lives at.
    pub(super) fn home(&self) -> Option<&Home> {
        self.homes.last().filter(|_| !self.deleted)
    }

    pub(super) fn lives_at(&self, machine: usize) -> bool {
        self.home().is_some_and(|home| home.machine() == machine)
    }

    pub(super) fn lived_at(&self, machine: usize) -> impl Iterator<Item = &Home> {
        self.homes.iter().filter(move |home| home.machine() == machine)
    }

    /// What it should have at this generation.
    pub(super) fn at(&self, generation: u64) -> Env {
        self.history.range(..=generation).next_back().map(|(_, env)| env.clone()).unwrap_or_default()
    }

    /// What a push should hold.
    pub(super) fn expected(&self, message: &Message) -> Option<Env> {
        let home = self.homes.iter().find(|home| home.token == message.token)?;
        let empty = home.retired.is_some_and(|retired| message.generation >= retired);
        Some(if empty { Env::new() } else { self.at(message.generation) })
    }

    fn desired(&self) -> Env {
        let mut env = Env::new();
        for (integration, token) in &self.connected {
            let suffix = if integration.label.is_default() { "" } else { "__WORK" };
            env.entry(format!("GITHUB_TOKEN{suffix}")).or_insert_with(|| token.clone());
        }
        env
    }

    fn retire(&mut self, generation: u64, at: Timestamp) {
        let home = self.homes.last_mut().unwrap();
        (home.retired, home.until) = (Some(generation), at.after(Duration::from_hours(24)));
    }
}

/// Everybody, and the use cases they use.
pub(super) struct People {
    pub(super) stores: Arc<InMemory>,
    pub(super) agents: Agents,
    pub(super) connections: Connections,
    pub(super) known: Vec<Known>,
    /// The tokens that a runtime refused since somebody last did something about it.
    pub(super) refused: BTreeSet<String>,
    /// Whether a machine is one target's alone.
    exclusive: bool,
    counter: u32,
}

/// How many agents live at a time.
const AGENTS: usize = 3;

/// Use cases over stores in memory never wait.
pub(super) fn now<T>(work: impl Future<Output = T>) -> T {
    work.now_or_never().unwrap()
}

impl People {
    pub(super) fn new(stores: Arc<InMemory>, agents: Agents, connections: Connections, exclusive: bool) -> Self {
        Self { stores, agents, connections, known: Vec::new(), refused: BTreeSet::new(), exclusive, counter: 0 }
    }

    pub(super) fn record(&self, agent: AgentId) -> Option<SyncRecord> {
        now(self.stores.state(&Reach::Everything, agent)).unwrap()
    }

    pub(super) fn find(&self, agent: AgentId) -> Option<&Known> {
        self.known.iter().find(|known| known.id == agent)
    }

    /// The agents that live, by index.
    pub(super) fn living(&self) -> Vec<usize> {
        (0..self.known.len()).filter(|index| !self.known[*index].deleted).collect()
    }

    /// The places that agents have left and that have not been purged or given up.
    pub(super) fn unpurged(&self) -> impl Iterator<Item = &Home> {
        let homes = self.known.iter().flat_map(|known| &known.homes);
        homes.filter(|home| home.retired.is_some() && home.end.is_none())
    }

    /// Whether this place is one of them.
    pub(super) fn has_left(&self, target: TargetId) -> bool {
        self.unpurged().any(|home| home.target == target)
    }

    pub(super) fn is_refused(&self, home: &Home) -> bool {
        self.refused.contains(&home.token)
    }

    /// People do what a permanent failure tells them to.
    pub(super) fn answer_permanent_failures(&mut self) {
        for index in self.living() {
            let mut known = self.known.remove(index);
            if known.home().is_some_and(|home| self.is_refused(home)) {
                now(self.agents.request_sync(&caller(), known.id)).unwrap();
                self.remember(&mut known);
            }
            self.known.insert(index, known);
        }
    }

    /// Does it, if it can be done, to an agent that chance picks.
    pub(super) fn act(&mut self, deed: Deed, chance: &mut Chance) {
        if matches!(deed, Deed::Register) {
            self.register(chance);
            return;
        }
        let Some(index) = chance.pick(&self.living()) else { return };
        let mut known = self.known.remove(index);
        if matches!(deed, Deed::Rekey | Deed::Delete | Deed::RequestSync) {
            self.refused.remove(&known.homes.last().unwrap().token);
        }
        match deed {
            Deed::Register => {}
            Deed::Connect => self.connect(&mut known, chance),
            Deed::Rotate => self.rotate(&mut known, chance),
            Deed::Disconnect => self.disconnect(&mut known, chance),
            Deed::Rekey => self.rekey(&mut known),
            Deed::Move => self.relocate(&mut known, chance),
            Deed::Delete => self.delete(&mut known),
            Deed::RequestSync => now(self.agents.request_sync(&caller(), known.id)).unwrap(),
        }
        self.remember(&mut known);
        self.known.insert(index, known);
    }

    fn next(&mut self, what: &str) -> String {
        self.counter += 1;
        format!("{what}{}", self.counter)
    }

    fn remember(&self, known: &mut Known) {
        if let Some(record) = self.record(known.id) {
            let env = known.desired();
            known.history.insert(record.desired, env);
        }
    }

    /// An address at which nobody else lives; where runtimes cannot tell who comes first, nor anything is left to
    /// purge.
    fn address(&self, chance: &mut Chance, own: Option<&Known>) -> Option<usize> {
        let mut taken: BTreeSet<usize> = self.known.iter().filter_map(Known::home).map(Home::machine).collect();
        if self.exclusive {
            let own = own.into_iter().flat_map(|own| &own.homes).filter(|home| home.end.is_none());
            taken.extend(self.unpurged().chain(own).map(Home::machine));
        }
        let free: Vec<usize> = (0..URLS.len()).filter(|url| !taken.contains(&URLS[*url].1)).collect();
        chance.pick(&free)
    }

    fn register(&mut self, chance: &mut Chance) {
        let Some(url) = self.address(chance, None).filter(|_| self.living().len() < AGENTS) else { return };
        let token = self.next("runtime");
        let runtime =
            RuntimeInput { kind: RuntimeKind::Nora, url: Some(URLS[url].0.to_owned()), token: Some(secret(&token)) };
        let request = CreateAgent {
            id: None,
            name: named("An agent"),
            runtime,
            gateway: None,
            workspace: None,
            idempotency: None,
        };
        let id = now(self.agents.create(&caller(), request)).unwrap().id;
        let mut known =
            Known { id, homes: Vec::new(), deleted: false, connected: Vec::new(), history: BTreeMap::new() };
        self.settle(&mut known, url, token);
        self.remember(&mut known);
        self.known.push(known);
    }

    fn settle(&self, known: &mut Known, url: usize, token: String) {
        let target = now(self.agents.find(&caller(), known.id)).unwrap().unwrap().target.id;
        known.homes.push(Home { target, url, token, retired: None, until: self.agents.clock.now(), end: None });
    }

    fn connect(&mut self, known: &mut Known, chance: &mut Chance) {
        let token = self.next("token");
        let provider = if chance.one_in(2) { "github" } else { "hub" };
        let label = if chance.one_in(2) { "default" } else { "work" };
        let asked = Asked { provider, token: &token, config: json!({}), label };
        // It may be connected already.
        if let Ok(integration) = now(self.connections.connect(&caller(), asked.request(known.id))) {
            known.connected.push((integration, token));
        }
    }

    fn rotate(&mut self, known: &mut Known, chance: &mut Chance) {
        if known.connected.is_empty() {
            return;
        }
        let fresh = self.next("token");
        let index = chance.below(known.connected.len());
        let (integration, token) = &mut known.connected[index];
        let rotated = Asked { provider: "", token: &fresh, config: json!({}), label: "default" }.change(integration);
        *integration = now(self.connections.change(&caller(), rotated)).unwrap();
        *token = fresh;
    }

    fn disconnect(&mut self, known: &mut Known, chance: &mut Chance) {
        if !known.connected.is_empty() {
            let (integration, _) = known.connected.remove(chance.below(known.connected.len()));
            now(self.connections.remove(&caller(), known.id, integration.id)).unwrap();
        }
    }

    fn rekey(&mut self, known: &mut Known) {
        // The simulation tells targets apart by their tokens, so a target keeps its own.
        let token = known.home().unwrap().token.clone();
        self.change(known.id, Patch::Keep, &token);
    }

    fn change(&self, agent: AgentId, url: Patch<String>, token: &str) {
        let runtime = RuntimeChange { url, token: Some(secret(token)), ..RuntimeChange::default() };
        let change = ChangeAgent { runtime: Some(runtime), ..ChangeAgent::default() };
        now(self.agents.change(&caller(), agent, change)).unwrap();
    }

    fn relocate(&mut self, known: &mut Known, chance: &mut Chance) {
        let here = known.home().unwrap().url;
        let Some(url) = self.address(chance, Some(known)).filter(|url| *url != here) else { return };
        let token = self.next("runtime");
        self.change(known.id, Patch::Set(URLS[url].0.to_owned()), &token);
        self.refused.remove(&known.homes.last().unwrap().token);
        known.retire(self.record(known.id).unwrap().desired - 1, self.agents.clock.now());
        self.settle(known, url, token);
    }

    fn delete(&mut self, known: &mut Known) {
        let desired = self.record(known.id).unwrap().desired;
        now(self.agents.delete(&caller(), known.id)).unwrap();
        known.retire(desired + 1, self.agents.clock.now());
        known.history.insert(desired + 1, Env::new());
        known.deleted = true;
    }
}
