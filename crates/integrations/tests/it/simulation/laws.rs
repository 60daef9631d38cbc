//! What must hold at every moment, and once faults have stopped.

use std::time::Duration;

use nora_integrations::ports::{SyncStore as _, VariableState};
use nora_kernel::audit::{Action, AuditLine, ResourceKind};
use nora_kernel::{AgentId, Clock as _, PageLimit, PageRequest, TargetId};
use nora_testkit::Stores as _;
use nora_testkit::samples::named;

use super::network::{Env, Fate, Landing};
use super::paced::Turn;
use super::people::{End, Home, Known, now};
use super::schedule::{Schedule, machines};

/// Longer than the longest wait after a failure, a lease and the interval between two checks together.
const AT_REST_AFTER: Duration = Duration::from_mins(6);
const DAY: Duration = Duration::from_hours(25);

impl Schedule {
    /// Nothing older lands after something newer, a generation is one state and no other, and what was purged stays so.
    pub(super) fn look_at_landing(&self, landing: &Landing) -> Result<(), String> {
        let Landing { message, before } = landing;
        let known = self.people.find(message.agent).ok_or("a push for nobody")?;
        let generation = message.generation;
        if generation < *before && self.is_settled_in(message.agent, message.machine) {
            return Err(format!("generation {generation} of {} landed after {before}", message.agent));
        }
        let expected = known.expected(message).ok_or("a push for a target that never was")?;
        if message.env != expected {
            return Err(format!("generation {generation} is {expected:?} and was pushed as {:?}", message.env));
        }
        let purged = known.lived_at(message.machine).all(|home| home.end == Some(End::Purged));
        if purged && !message.env.is_empty() && self.is_settled_in(message.agent, message.machine) {
            return Err(format!("{} is back at machine {} after its purge", message.agent, message.machine));
        }
        Ok(())
    }

    /// A runtime that holds another agent's state starts over, so where two agents have been nothing is old.
    fn is_settled_in(&self, agent: AgentId, machine: usize) -> bool {
        let net = self.network.net();
        net.machines.get(machine).is_some_and(|held| held.newest.len() == 1 && held.newest.contains_key(&agent))
    }

    /// Nothing counts as applied that no runtime ever had, and what is shown as live is what was confirmed.
    pub(super) fn look_at_view(&self, agent: AgentId) -> Result<(), String> {
        let (Some(known), Some(record)) = (self.people.find(agent), self.people.record(agent)) else { return Ok(()) };
        let Some(home) = known.home() else { return Ok(()) };
        let newest = self.network.net().machines.get(home.machine()).and_then(|held| held.newest.get(&agent).copied());
        if record.applied > newest.unwrap_or_default() {
            return Err(format!("{} counts as applied; {newest:?} is the newest that arrived", record.applied));
        }
        if record.applied < record.desired {
            return Ok(());
        }
        let live = record.variables.iter().filter(|variable| variable.state == VariableState::Live);
        let live: Vec<String> = live.map(|variable| variable.name.to_string()).collect();
        let expected: Vec<String> = known.at(record.applied).into_keys().collect();
        if live != expected {
            return Err(format!("{agent} is in step and shows {live:?} for {expected:?}"));
        }
        let unconfirmed = record.removals.iter().any(|removal| removal.confirmed_at.is_none());
        if unconfirmed { Err(format!("{agent} is in step, and a removal is not confirmed")) } else { Ok(()) }
    }

    /// A change that was made while a push failed for good is due all the same.
    pub(super) fn look_at_failure(&self, agent: AgentId, pushed: u64) -> Result<(), String> {
        let Some(record) = self.people.record(agent) else { return Ok(()) };
        let stopped = record.next_attempt_at.is_none() && record.applied < record.desired;
        if record.desired > pushed && stopped {
            return Err(format!("{agent} stops at {pushed}, and {} is desired", record.desired));
        }
        Ok(())
    }

    /// What the trail calls purged is empty, unless the agent lives or lived there under another name too.
    pub(super) fn look_at_trail(&mut self) -> Result<(), String> {
        let page = PageRequest { limit: PageLimit::MAX, after: None };
        let lines = now(self.people.stores.audit().list(&named("alpha"), page)).unwrap().items;
        for line in lines {
            let end = match line.action {
                Action::RuntimePurged => End::Purged,
                Action::RuntimePurgeAbandoned => End::Abandoned,
                _ => continue,
            };
            self.look_at_end(target_of(&line), end)?;
        }
        Ok(())
    }

    fn look_at_end(&mut self, target: Option<TargetId>, end: End) -> Result<(), String> {
        let is_it = |home: &Home| Some(home.target) == target && home.end.is_none();
        let mut everybody = self.people.known.iter_mut();
        let Some(known) = everybody.find(|known| known.homes.iter().any(is_it)) else { return Ok(()) };
        let Some(home) = known.homes.iter_mut().find(|home| is_it(home)) else { return Ok(()) };
        home.end = Some(end);
        if end == End::Abandoned && self.clock.now() < home.until {
            return Err(format!("the purge of {} was given up too early", home.target));
        }
        let machine = home.machine();
        let agent = known.id;
        let elsewhere = known.lived_at(machine).all(|home| home.end.is_some());
        if end == End::Purged && elsewhere && holds(&self.network.net().machines, machine, agent) {
            return Err(format!("machine {machine} counts as purged and holds credentials of {agent}"));
        }
        Ok(())
    }

    /// Faults stop: work under way ends with its process, the network delivers what it still has, and people do what a
    /// permanent failure tells them to. From then on everything must come right by itself.
    pub(super) fn come_to_rest(&mut self) -> Result<(), String> {
        self.tell(|| "faults stop".to_owned());
        for worker in &mut self.workers {
            worker.job = None;
        }
        while !self.network.net().in_flight.is_empty() {
            self.deliver(0, Fate::Applied)?;
        }
        self.people.answer_permanent_failures();
        self.work_for(AT_REST_AFTER)?;
        self.look_at_living()?;
        let left: Vec<&Home> = self.people.unpurged().collect();
        if let Some(home) = left.iter().find(|home| !self.people.is_refused(home)) {
            return Err(format!("{} is not purged", home.target));
        }
        if !left.is_empty() {
            self.pass(DAY);
            self.work_for(AT_REST_AFTER)?;
        }
        self.look_at_everything()
    }

    fn work_for(&mut self, time: Duration) -> Result<(), String> {
        let until = self.clock.now().after(time);
        for _ in 0..2000 {
            self.work()?;
            let worker = self.workers.first().ok_or("nobody works")?;
            worker.pace.give(Turn::Done);
            let due = now(worker.store.next_due()).map_err(|error| error.to_string())?;
            match due.filter(|due| *due <= until) {
                Some(due) => self.pass(due.since(self.clock.now())),
                None => return Ok(()),
            }
        }
        Err("it goes round in circles".to_owned())
    }

    fn work(&mut self) -> Result<(), String> {
        self.claim_with(0, Turn::Done);
        while self.is_busy(0) {
            let waits = self.network.net().waits(0);
            match waits {
                Some((call, false)) => {
                    let index = self.network.net().in_flight.iter().position(|message| message.call == call);
                    self.deliver(index.ok_or("a call without a message")?, Fate::Applied)?;
                }
                Some((_, true)) => {}
                None => self.workers.first().ok_or("nobody works")?.pace.give(Turn::Done),
            }
            self.poll(0)?;
        }
        Ok(())
    }

    fn look_at_living(&self) -> Result<(), String> {
        for known in self.people.known.iter().filter(|known| !known.deleted) {
            let record = self.people.record(known.id).ok_or("an agent is gone")?;
            if record.applied < record.desired {
                return Err(format!("{} does not converge: {} of {}", known.id, record.applied, record.desired));
            }
            self.look_at_view(known.id)?;
            self.look_at_home(known, &known.at(record.desired))?;
        }
        Ok(())
    }

    fn look_at_home(&self, known: &Known, expected: &Env) -> Result<(), String> {
        let net = self.network.net();
        let held = known.home().and_then(|home| net.machines.get(home.machine())).ok_or("an agent without a home")?;
        if held.agent == Some(known.id) && held.env == *expected {
            return Ok(());
        }
        Err(format!("{} has {:?} (of {:?}) instead of {expected:?}", known.id, held.env, held.agent))
    }

    /// Every machine holds what the agent that lives there should have, and otherwise nothing, unless the trail says
    /// that its purge was given up. Nothing is kept of what is gone.
    fn look_at_everything(&self) -> Result<(), String> {
        self.look_at_living()?;
        let left = self.people.unpurged().count();
        if left > 0 {
            return Err(format!("{left} purges have no end"));
        }
        let keys = now(self.people.stores.custody().agent_keys(None, 100)).unwrap().len();
        if keys != self.people.living().len() {
            return Err(format!("{keys} data keys for {} agents", self.people.living().len()));
        }
        (0..machines()).try_for_each(|machine| self.look_at_machine(machine))
    }

    fn look_at_machine(&self, machine: usize) -> Result<(), String> {
        let net = self.network.net();
        for known in self.people.known.iter().filter(|known| !known.lives_at(machine)) {
            let abandoned = known.lived_at(machine).any(|home| home.end == Some(End::Abandoned));
            if !abandoned && holds(&net.machines, machine, known.id) {
                return Err(format!("machine {machine} still holds credentials of {}", known.id));
            }
        }
        Ok(())
    }
}

fn holds(machines: &[super::network::Machine], machine: usize, agent: AgentId) -> bool {
    machines.get(machine).is_some_and(|held| held.agent == Some(agent) && !held.env.is_empty())
}

fn target_of(line: &AuditLine) -> Option<TargetId> {
    let id = (line.resource.kind == ResourceKind::Runtime).then_some(&line.resource.id)?;
    id.parse().ok()
}
