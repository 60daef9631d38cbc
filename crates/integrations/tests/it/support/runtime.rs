//! A runtime that keeps the contract, unless it is told what to do.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use nora_integrations::ports::{
    Applied, FailureClass, Health, Ledger, OwnedVariable, Push, PushError, RuntimeAddress, RuntimeClient,
    SyncStore as _, Variable, VariableState,
};
use nora_kernel::AgentId;
use nora_testkit::{InMemory, ManualClock};

/// What a runtime does with the next call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reaction {
    /// It does nothing and fails in this way.
    Fails(FailureClass),
    /// It asks for patience.
    Busy(Duration),
    /// It applies the push, and nobody learns of it.
    AnswerGetsLost,
    /// It claims to hold this generation.
    Claims(u64),
}

/// What was pushed to one address, and what is there now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) agent: Option<AgentId>,
    pub(crate) generation: u64,
    pub(crate) env: BTreeMap<String, String>,
    /// `provider/label`, oldest first.
    pub(crate) integrations: Vec<String>,
}

/// One call, as the runtime saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) url: String,
    pub(crate) token: Option<String>,
    pub(crate) pushed: Option<Held>,
}

/// Every runtime there is, by URL.
pub(crate) struct Runtime {
    pub(crate) places: Mutex<BTreeMap<String, Held>>,
    pub(crate) reactions: Mutex<VecDeque<Reaction>>,
    pub(crate) seen: Mutex<Vec<Seen>>,
    /// What a place says of itself instead of what it holds; `None` within is a place that cannot say.
    pub(crate) says: Mutex<Option<Result<Option<Health>, PushError>>>,
    /// What became of a variable, where that is not `live`.
    pub(crate) variables: Mutex<BTreeMap<String, VariableState>>,
    /// Another worker takes the lease while the next call is under way.
    pub(crate) thief: Mutex<Option<Arc<InMemory>>>,
    clock: ManualClock,
}

impl Runtime {
    pub(crate) fn new(clock: ManualClock) -> Self {
        Self {
            places: Mutex::default(),
            reactions: Mutex::default(),
            seen: Mutex::default(),
            says: Mutex::default(),
            variables: Mutex::default(),
            thief: Mutex::default(),
            clock,
        }
    }

    pub(crate) fn will(&self, reaction: Reaction) {
        self.reactions.lock().unwrap().push_back(reaction);
    }

    pub(crate) fn at(&self, url: &str) -> Held {
        self.places.lock().unwrap().get(url).cloned().unwrap_or_default()
    }

    pub(crate) fn env(&self, url: &str) -> Vec<String> {
        self.at(url).env.into_iter().map(|(name, value)| format!("{name}={value}")).collect()
    }

    /// The calls since the last look.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        std::mem::take(&mut *self.seen.lock().unwrap())
    }

    /// The pushes among them.
    pub(crate) fn pushes(&self) -> Vec<Held> {
        self.seen().into_iter().filter_map(|seen| seen.pushed).collect()
    }

    async fn be_robbed(&self) {
        let thief = self.thief.lock().unwrap().take();
        if let Some(stores) = thief {
            let now = self.clock.advance(Duration::from_mins(1));
            assert_eq!(stores.claim(10, Duration::from_secs(15), now).await.unwrap().len(), 1);
        }
    }

    fn take(&self, url: &str, held: Held) -> Result<(), PushError> {
        let mut places = self.places.lock().unwrap();
        let present = places.entry(url.to_owned()).or_default();
        if present.agent == held.agent && present.generation > held.generation {
            return Err(PushError::Superseded { current: present.generation });
        }
        *present = held;
        Ok(())
    }

    fn applied(&self, push: &Push) -> Applied {
        let states = self.variables.lock().unwrap();
        let variables = push.env.iter().map(|(name, _)| {
            let state = states.get(name.as_str()).copied().unwrap_or(VariableState::Live);
            Variable { name: name.clone(), state, reason: None }
        });
        Applied { variables: variables.collect() }
    }
}

fn url(address: &RuntimeAddress) -> String {
    address.url.as_ref().map(ToString::to_string).unwrap_or_default()
}

fn held(push: &Push) -> Held {
    let integrations = push.integrations.iter().map(|one| format!("{}/{}", one.provider, one.label));
    Held {
        agent: Some(push.agent),
        generation: push.generation,
        env: push.env.iter().map(|(name, value)| (name.to_string(), value.expose().to_owned())).collect(),
        integrations: integrations.collect(),
    }
}

fn seen(address: &RuntimeAddress, pushed: Option<Held>) -> Seen {
    let token = address.token.as_ref().map(|token| token.expose().to_owned());
    Seen { url: url(address), token, pushed }
}

#[async_trait]
impl RuntimeClient for Runtime {
    async fn apply(&self, address: &RuntimeAddress, push: &Push, _ledger: &dyn Ledger) -> Result<Applied, PushError> {
        self.seen.lock().unwrap().push(seen(address, Some(held(push))));
        self.be_robbed().await;
        let reaction = self.reactions.lock().unwrap().pop_front();
        match reaction {
            None => self.take(&url(address), held(push)).map(|()| self.applied(push)),
            Some(Reaction::AnswerGetsLost) => {
                self.take(&url(address), held(push))?;
                Err(PushError::failed(FailureClass::Timeout))
            }
            Some(Reaction::Fails(class)) => Err(PushError::failed(class)),
            Some(Reaction::Busy(wait)) => {
                Err(PushError::Failed { class: FailureClass::RateLimited, retry_after: Some(wait) })
            }
            Some(Reaction::Claims(current)) => Err(PushError::Superseded { current }),
        }
    }

    async fn health(&self, address: &RuntimeAddress, _owned: &[OwnedVariable]) -> Result<Option<Health>, PushError> {
        self.seen.lock().unwrap().push(seen(address, None));
        self.be_robbed().await;
        let said = *self.says.lock().unwrap();
        said.unwrap_or_else(|| {
            let held = self.at(&url(address));
            Ok(Some(Health { agent: held.agent, generation: held.agent.map(|_| held.generation) }))
        })
    }
}
