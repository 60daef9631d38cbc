//! Whatever people do and runtimes suffer: in the end a runtime has exactly what is connected, and at no time is
//! anything called live that is not.

use std::collections::BTreeMap;

use nora_integrations::ports::{FailureClass, VariableState};
use nora_integrations::{Integration, SyncState};
use nora_kernel::AgentId;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;

use crate::support::{Asked, Reaction, World, caller};

const LABELS: [&str; 2] = ["default", "work"];
const PROVIDERS: [&str; 3] = ["github", "hub", "cache"];

/// What somebody does, or what happens. Indices are taken modulo what there is.
#[derive(Debug, Clone)]
enum Event {
    Connect {
        provider: &'static str,
        label: &'static str,
        with_name: bool,
    },
    NewToken(usize),
    NewName(usize),
    DropName(usize),
    Remove(usize),
    Push(Fate),
    Wait(u64),
    RequestSync,
    /// A backup is restored: the runtime is ahead of us.
    FallBehind(u64),
}

#[derive(Debug, Clone, Copy)]
enum Fate {
    Confirmed,
    Failed(bool),
    AnswerLost,
    Impossible,
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let fate = prop_oneof![
        4 => Just(Fate::Confirmed),
        2 => any::<bool>().prop_map(Fate::Failed),
        2 => Just(Fate::AnswerLost),
        1 => Just(Fate::Impossible),
    ];
    let event = prop_oneof![
        4 => (select(&PROVIDERS[..]), select(&LABELS[..]), any::<bool>())
            .prop_map(|(provider, label, with_name)| Event::Connect { provider, label, with_name }),
        2 => (0..6usize).prop_map(Event::NewToken),
        2 => (0..6usize).prop_map(Event::NewName),
        1 => (0..6usize).prop_map(Event::DropName),
        2 => (0..6usize).prop_map(Event::Remove),
        6 => fate.prop_map(Event::Push),
        2 => (1..40u64).prop_map(Event::Wait),
        1 => Just(Event::RequestSync),
        1 => (1..9u64).prop_map(Event::FallBehind),
    ];
    prop::collection::vec(event, 1..40)
}

/// One connection as the model knows it.
struct Known {
    record: Integration,
    token: String,
    name: Option<String>,
}

/// What is connected, oldest first, without any of the product's code.
struct Model {
    agent: AgentId,
    connected: Vec<Known>,
    counter: u32,
}

/// The variables of a provider's token and of its name, and the field the name is in.
fn variables_of(provider: &str) -> (&'static str, &'static str, &'static str) {
    match provider {
        "github" => ("GITHUB_TOKEN", "GITHUB_ORG", "org"),
        "hub" => ("GITHUB_TOKEN", "GITHUB_ORG", "owner"),
        _ => ("CACHE_PASSWORD", "CACHE_HOST", "host"),
    }
}

impl Model {
    fn next(&mut self, what: &str) -> String {
        self.counter += 1;
        format!("{what}{}", self.counter)
    }

    fn desired(&self) -> BTreeMap<String, String> {
        let mut env = BTreeMap::new();
        for known in &self.connected {
            let suffix = if known.record.label.is_default() { "" } else { "__WORK" };
            let (token, name, _) = variables_of(known.record.provider.as_str());
            env.entry(format!("{token}{suffix}")).or_insert_with(|| known.token.clone());
            if let Some(value) = &known.name {
                env.entry(format!("{name}{suffix}")).or_insert_with(|| value.clone());
            }
        }
        env
    }

    async fn connect(&mut self, world: &World, provider: &str, label: &str, with_name: bool) {
        let is_there =
            |known: &Known| known.record.provider.as_str() == provider && known.record.label.as_str() == label;
        if self.connected.iter().any(is_there) {
            return;
        }
        let token = self.next("token");
        let (.., field) = variables_of(provider);
        let name = (with_name || provider == "cache").then(|| self.next("name"));
        let config = name.as_ref().map_or(json!({}), |name| json!({ field: name }));
        let asked = Asked { provider, token: &token, config, label };
        // Hosts without a dot are local, so the model's names get one.
        let asked = if provider == "cache" {
            let host = format!("{}.example", name.as_deref().unwrap_or_default());
            asked.with(json!({ "host": host }))
        } else {
            asked
        };
        world.wait(1);
        let record = world.connect(self.agent, asked).await;
        let name = name.map(|name| if provider == "cache" { format!("{name}.example") } else { name });
        self.connected.push(Known { record, token, name });
    }

    async fn change(&mut self, world: &World, index: usize, new_token: bool, new_name: Option<bool>) {
        let index = index % self.connected.len().max(1);
        let (token, name) = (self.next("token"), self.next("name"));
        let Some(known) = self.connected.get_mut(index) else { return };
        let (.., field) = variables_of(known.record.provider.as_str());
        if known.record.provider.as_str() == "cache" && new_name.is_some() {
            return;
        }
        let patch = match new_name {
            None => json!({}),
            Some(true) => json!({ field: name }),
            Some(false) => json!({ field: null }),
        };
        known.record = world.change(&known.record, if new_token { &token } else { "" }, patch).await.unwrap();
        if new_token {
            known.token = token;
        }
        match new_name {
            None => {}
            Some(true) => known.name = Some(name),
            Some(false) => known.name = None,
        }
    }

    async fn apply(&mut self, world: &World, event: &Event) {
        match *event {
            Event::Connect { provider, label, with_name } => self.connect(world, provider, label, with_name).await,
            Event::NewToken(index) => self.change(world, index, true, None).await,
            Event::NewName(index) => self.change(world, index, false, Some(true)).await,
            Event::DropName(index) => self.change(world, index, false, Some(false)).await,
            Event::Remove(index) if !self.connected.is_empty() => {
                let gone = self.connected.remove(index % self.connected.len());
                world.remove(&gone.record).await;
            }
            Event::Remove(_) => {}
            Event::Push(fate) => push(world, fate).await,
            Event::Wait(seconds) => world.wait(seconds),
            Event::RequestSync => world.agents.request_sync(&caller(), self.agent).await.unwrap(),
            Event::FallBehind(by) => {
                if let Some(place) = world.runtime.places.lock().unwrap().get_mut(PLACE) {
                    place.generation += by;
                }
            }
        }
    }

    /// Nothing is live that the runtime does not have, with the value it should have.
    async fn check(&self, world: &World) -> Result<(), TestCaseError> {
        let (view, held, desired) = (world.view(self.agent).await, world.runtime.at(PLACE).env, self.desired());
        for variable in view.variables.iter().filter(|variable| variable.state == VariableState::Live) {
            let name = variable.name.as_str();
            prop_assert!(held.contains_key(name), "{name} is nowhere");
            prop_assert_eq!(held.get(name), desired.get(name), "{}", name);
        }
        if view.status.state == SyncState::InSync {
            prop_assert_eq!(&held, &desired);
            prop_assert!(view.removed.iter().all(|removed| removed.confirmed_at.is_some()));
        }
        Ok(())
    }
}

const PLACE: &str = "http://10.0.0.1:9090/";

async fn push(world: &World, fate: Fate) {
    for claim in world.claims().await {
        match fate {
            Fate::Confirmed => {}
            Fate::Failed(true) => world.runtime.will(Reaction::Fails(FailureClass::Auth)),
            Fate::Failed(false) => world.runtime.will(Reaction::Fails(FailureClass::ServerError)),
            Fate::AnswerLost => world.runtime.will(Reaction::AnswerGetsLost),
            Fate::Impossible => world.runtime.will(Reaction::Claims(0)),
        }
        world.run(&claim).await;
        world.runtime.reactions.lock().unwrap().clear();
    }
}

async fn play(events: &[Event]) -> Result<(), TestCaseError> {
    let world = World::new();
    let agent = world.agent().await;
    let mut model = Model { agent, connected: Vec::new(), counter: 0 };
    for event in events {
        model.apply(&world, event).await;
        model.check(&world).await?;
    }
    world.agents.request_sync(&caller(), agent).await.unwrap();
    for _ in 0..4 {
        world.settle().await;
        world.wait(31);
    }
    let view = world.view(agent).await;
    prop_assert_eq!(view.status.state, SyncState::InSync);
    model.check(&world).await?;
    let live = view.variables.iter().filter(|variable| variable.state == VariableState::Live);
    let live: Vec<_> = live.map(|variable| variable.name.to_string()).collect();
    prop_assert_eq!(live, model.desired().into_keys().collect::<Vec<_>>());
    prop_assert_eq!(world.runtime.at(PLACE).integrations.len(), model.connected.len());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn a_runtime_ends_with_what_is_connected(events in events()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(play(&events))?;
    }
}

/// An older connection takes a name, gives it up again, and nobody knows whether the push in between was applied.
#[tokio::test]
async fn a_name_that_was_taken_for_a_while_is_not_called_live() {
    use Event::{Connect, DropName, NewName, Push};
    let connect = |provider, label, with_name| Connect { provider, label, with_name };
    let events = [
        connect("github", "work", false),
        connect("hub", "default", false),
        connect("github", "default", true),
        Push(Fate::Confirmed),
        NewName(1),
        Push(Fate::AnswerLost),
        DropName(1),
    ];
    play(&events).await.unwrap();
}
