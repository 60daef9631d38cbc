//! Machines with runtimes on them, and a network that is late, forgets and repeats itself.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::Poll;

use async_trait::async_trait;
use nora_integrations::ports::{
    Applied, FailureClass, Health, Ledger, OwnedVariable, Push, PushError, RuntimeAddress, RuntimeClient, Variable,
    VariableState,
};
use nora_kernel::AgentId;

use super::paced::{Pace, Turn};

/// Four addresses, the first two of which lead to one machine.
pub(super) const URLS: [(&str, usize); 4] = [
    ("http://10.0.0.1:9090/", 0),
    ("http://10.0.0.2:9090/", 0),
    ("http://10.0.0.3:9090/", 1),
    ("http://10.0.0.4:9090/", 2),
];

pub(super) type Env = BTreeMap<String, String>;

/// What a runtime does with a push.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is applied and confirmed.
    Applied,
    /// It is applied, and the confirmation gets lost.
    AnswerLost,
    /// It is applied and confirmed, and will arrive once more.
    Repeated,
    /// Some of it is applied, by a runtime that does not apply a push whole.
    Half,
    /// It is refused.
    Refused(FailureClass),
}

/// What a runtime holds.
#[derive(Debug, Clone, Default)]
pub(super) struct Machine {
    pub(super) agent: Option<AgentId>,
    pub(super) generation: u64,
    pub(super) env: Env,
    /// The newest generation of each agent that was ever here.
    pub(super) newest: BTreeMap<AgentId, u64>,
    /// The newest generation since the runtime last forgot what it held.
    remembered: BTreeMap<AgentId, u64>,
}

/// A push under way.
#[derive(Debug, Clone)]
pub(super) struct Message {
    pub(super) call: u64,
    pub(super) machine: usize,
    pub(super) agent: AgentId,
    /// The bearer token tells one target from another.
    pub(super) token: String,
    pub(super) generation: u64,
    pub(super) env: Env,
}

/// A push that was applied.
pub(super) struct Landing {
    pub(super) message: Message,
    /// The newest generation of the agent that was there before, since the runtime last forgot.
    pub(super) before: u64,
}

#[derive(Default)]
pub(super) struct Net {
    pub(super) machines: [Machine; 3],
    pub(super) in_flight: Vec<Message>,
    waiting: BTreeMap<usize, u64>,
    answers: BTreeMap<u64, Result<Applied, PushError>>,
    calls: u64,
    sent: BTreeMap<usize, u64>,
    ahead: Option<usize>,
    pub(super) fenced: bool,
    /// A runtime that breaks the contract and takes an older generation too.
    pub(super) forgets_order: bool,
}

/// What every worker speaks through.
pub(super) struct Network(Mutex<Net>);

impl Network {
    /// `fenced` runtimes refuse older generations, apply a push whole and can be asked what they hold. Others do
    /// none of that, but what is sent to them ends with the call it was sent in.
    pub(super) fn new(fenced: bool) -> Self {
        Self(Mutex::new(Net { fenced, ..Net::default() }))
    }

    pub(super) fn net(&self) -> MutexGuard<'_, Net> {
        self.0.lock().unwrap()
    }
}

impl Net {
    /// The call a worker waits in, and whether it is answered.
    pub(super) fn waits(&self, worker: usize) -> Option<(u64, bool)> {
        self.waiting.get(&worker).map(|call| (*call, self.answers.contains_key(call)))
    }

    /// The generation a worker pushed last.
    pub(super) fn pushed(&self, worker: usize) -> Option<u64> {
        self.sent.get(&worker).copied()
    }

    pub(super) fn times_out(&mut self, call: u64) {
        self.answers.insert(call, Err(PushError::failed(FailureClass::Timeout)));
    }

    /// A message arrives.
    pub(super) fn deliver(&mut self, index: usize, fate: Fate) -> Option<Landing> {
        let message = self.in_flight.remove(index);
        let (call, variables) = (message.call, live(&message.env));
        let fate = if fate == Fate::Half && self.fenced { Fate::AnswerLost } else { fate };
        let landed = match fate {
            Fate::Refused(class) => Err(PushError::failed(class)),
            Fate::Half => {
                let env = &mut self.machines.get_mut(message.machine)?.env;
                env.extend(message.env.into_iter().take(1));
                Err(PushError::failed(FailureClass::Refused))
            }
            Fate::Applied | Fate::AnswerLost | Fate::Repeated => {
                if fate == Fate::Repeated && self.fenced {
                    self.in_flight.push(message.clone());
                }
                self.land(message)
            }
        };
        let open = self.waiting.values().any(|waiting| *waiting == call);
        if fate != Fate::AnswerLost && open {
            self.answers.entry(call).or_insert(landed.as_ref().map(|_| Applied { variables }).map_err(|error| *error));
        }
        landed.ok()
    }

    fn land(&mut self, message: Message) -> Result<Landing, PushError> {
        let ordered = self.fenced && !self.forgets_order;
        let Message { machine, agent, generation, .. } = message;
        let machine = self.machines.get_mut(machine).ok_or(PushError::failed(FailureClass::Dns))?;
        if ordered && machine.agent == Some(agent) && machine.generation > generation {
            return Err(PushError::Superseded { current: machine.generation });
        }
        (machine.agent, machine.generation) = (Some(agent), generation);
        machine.env.clone_from(&message.env);
        let newest = machine.newest.entry(agent).or_default();
        *newest = generation.max(*newest);
        let remembered = machine.remembered.entry(agent).or_default();
        let before = std::mem::replace(remembered, generation.max(*remembered));
        Ok(Landing { message, before })
    }

    /// A runtime starts again. What was under way to it is gone; what it holds may be.
    pub(super) fn restart(&mut self, machine: usize, forgets: bool) {
        self.in_flight.retain(|message| message.machine != machine);
        if let Some(machine) = self.machines.get_mut(machine).filter(|_| forgets) {
            *machine = Machine { newest: std::mem::take(&mut machine.newest), ..Machine::default() };
        }
    }

    /// A backup of ours was restored: the runtime holds a generation that nobody here remembers.
    ///
    /// One machine is ahead in a run. Where an agent moves from one that is ahead to another one that is further ahead,
    /// what the first holds cannot be told from what the second was given under another name, and seed 9705 shows it.
    pub(super) fn run_ahead(&mut self, machine: usize) {
        if *self.ahead.get_or_insert(machine) != machine {
            return;
        }
        if let Some(machine) = self.machines.get_mut(machine).filter(|machine| machine.agent.is_some()) {
            machine.generation += 1000;
        }
    }

    fn hang_up(&mut self, worker: usize, call: u64) {
        self.answers.remove(&call);
        self.waiting.remove(&worker);
        if !self.fenced {
            self.in_flight.retain(|message| message.call != call);
        }
    }
}

fn live(env: &Env) -> Vec<Variable> {
    let variable = |name: &String| Variable { name: name.parse().unwrap(), state: VariableState::Live, reason: None };
    env.keys().map(variable).collect()
}

/// One worker's way to every runtime.
pub(super) struct Line {
    pub(super) network: Arc<Network>,
    pub(super) pace: Arc<Pace>,
    pub(super) worker: usize,
}

/// A call under way, which ends when it is dropped.
struct Call<'a>(&'a Line, u64);

impl Drop for Call<'_> {
    fn drop(&mut self) {
        self.0.network.net().hang_up(self.0.worker, self.1);
    }
}

fn machine(address: &RuntimeAddress) -> usize {
    let url = address.url.as_ref().unwrap().to_string();
    URLS.iter().find(|(known, _)| *known == url).unwrap().1
}

impl Line {
    fn send(&self, address: &RuntimeAddress, push: &Push) -> Call<'_> {
        let mut net = self.network.net();
        net.calls += 1;
        let call = net.calls;
        let env = push.env.iter().map(|(name, value)| (name.to_string(), value.expose().to_owned()));
        let message = Message {
            call,
            machine: machine(address),
            agent: push.agent,
            token: address.token.as_ref().unwrap().expose().to_owned(),
            generation: push.generation,
            env: env.collect(),
        };
        net.in_flight.push(message);
        net.waiting.insert(self.worker, call);
        net.sent.insert(self.worker, push.generation);
        Call(self, call)
    }
}

#[async_trait]
impl RuntimeClient for Line {
    async fn apply(&self, address: &RuntimeAddress, push: &Push, _: &dyn Ledger) -> Result<Applied, PushError> {
        let call = self.send(address, push);
        poll_fn(|_| self.network.net().answers.remove(&call.1).map_or(Poll::Pending, Poll::Ready)).await
    }

    async fn health(&self, address: &RuntimeAddress, _: &[OwnedVariable]) -> Result<Option<Health>, PushError> {
        if self.pace.turn().await != Turn::Done {
            return Err(PushError::failed(FailureClass::Timeout));
        }
        let net = self.network.net();
        let held = net.machines.get(machine(address)).filter(|_| net.fenced);
        Ok(held.map(|held| Health { agent: held.agent, generation: held.agent.map(|_| held.generation) }))
    }
}
