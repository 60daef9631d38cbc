//! One schedule: who goes next, and what goes wrong, until nothing does any more.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use nora_integrations::ports::{Claim, FailureClass, Held, Role, RuntimeClient, SyncStore};
use nora_integrations::{Reconciler, Step};
use nora_kernel::{Clock as _, Timestamp, Unavailable};
use nora_testkit::ManualClock;

use super::chance::Chance;
use super::leases::Leases;
use super::network::{Fate, Line, Network, URLS};
use super::paced::{Pace, Paced, Turn};
use super::people::{Deed, People, now};

const LEASE: Duration = Duration::from_secs(15);

/// What is under way in a worker.
type Work = Pin<Box<dyn Future<Output = Result<Step, Unavailable>> + Send>>;

pub(super) struct Worker {
    pub(super) pace: Arc<Pace>,
    pub(super) store: Arc<Paced>,
    pub(super) reconciler: Reconciler,
    pub(super) job: Option<Job>,
}

pub(super) struct Job {
    claim: Claim,
    work: Work,
    until: Timestamp,
}

/// What happens next.
#[derive(Debug, Clone, Copy)]
enum Event {
    Person,
    Claim,
    Advance,
    Renew,
    Crash,
    Release,
    Wait,
    Arrive,
    Vanish,
    Restart,
    RunAhead,
}

/// Everything there is in one run.
pub(super) struct Schedule {
    pub(super) chance: Chance,
    pub(super) clock: ManualClock,
    pub(super) network: Arc<Network>,
    pub(super) leases: Arc<Leases>,
    pub(super) people: People,
    pub(super) workers: Vec<Worker>,
    /// Whether a worker may go on after its lease has run out, as a process that was paused does.
    pub(super) pauses: bool,
    /// How often each end of a step was met.
    pub(super) ends: BTreeMap<String, u32>,
    /// What happened, for whoever reads about a failure.
    pub(super) story: Option<Vec<String>>,
}

impl Schedule {
    /// Lets things happen, then lets faults stop, and says which law was broken first.
    pub(super) fn run(&mut self) -> Result<(), String> {
        self.people.act(Deed::Register, &mut self.chance);
        for _ in 0..15 + self.chance.below(50) {
            self.happen()?;
        }
        self.come_to_rest()
    }

    pub(super) fn tell(&mut self, what: impl FnOnce() -> String) {
        if let Some(story) = &mut self.story {
            let at = self.clock.now().as_microseconds() / 1000 % 100_000_000;
            story.push(format!("{at} ms: {}", what()));
        }
    }

    fn happen(&mut self) -> Result<(), String> {
        let events = [
            (10, Event::Person),
            (6, Event::Claim),
            (40, Event::Advance),
            (3, Event::Renew),
            (2, Event::Crash),
            (1, Event::Release),
            (12, Event::Wait),
            (4, Event::Arrive),
            (1, Event::Vanish),
            (1, Event::Restart),
            (2, Event::RunAhead),
        ];
        let event = self.chance.weighted(&events);
        let busy: Vec<usize> = (0..self.workers.len()).filter(|index| self.is_busy(*index)).collect();
        let idle: Vec<usize> = (0..self.workers.len()).filter(|index| !self.is_busy(*index)).collect();
        let (idle, worker) = (self.chance.pick(&idle).unwrap_or(0), self.chance.pick(&busy).unwrap_or(0));
        match event {
            Event::Person => self.somebody_acts(),
            Event::Advance if !busy.is_empty() => self.advance(worker)?,
            Event::Claim | Event::Advance => self.claim(idle),
            Event::Renew => self.renew(worker),
            Event::Crash => self.crash(worker),
            Event::Release => self.release(worker),
            Event::Wait => self.wait(),
            Event::Arrive => self.arrive(None)?,
            Event::Vanish => self.vanish(),
            Event::Restart => self.restart(),
            Event::RunAhead => self.run_ahead(),
        }
        self.leases.check()
    }

    pub(super) fn is_busy(&self, worker: usize) -> bool {
        self.workers.get(worker).is_some_and(|worker| worker.job.is_some())
    }

    fn somebody_acts(&mut self) {
        let deeds = [
            (2, Deed::Register),
            (6, Deed::Connect),
            (4, Deed::Rotate),
            (4, Deed::Disconnect),
            (1, Deed::Rekey),
            (2, Deed::Move),
            (1, Deed::Delete),
            (1, Deed::RequestSync),
        ];
        let deed = self.chance.weighted(&deeds);
        self.tell(|| format!("{deed:?}"));
        self.people.act(deed, &mut self.chance);
    }

    fn turn(&mut self) -> Turn {
        self.chance.weighted(&[(20, Turn::Done), (1, Turn::Refused), (1, Turn::AnswerLost)])
    }

    fn claim(&mut self, worker: usize) {
        let turn = self.turn();
        self.claim_with(worker, turn);
    }

    pub(super) fn claim_with(&mut self, worker: usize, turn: Turn) {
        let at = self.clock.now();
        let Some(idle) = self.workers.get_mut(worker).filter(|worker| worker.job.is_none()) else { return };
        idle.pace.give(turn);
        let Ok(claims) = now(idle.store.claim(1, LEASE, at)) else { return };
        let Some(claim) = claims.into_iter().next() else { return };
        idle.start(claim.clone(), at.after(LEASE));
        self.tell(|| format!("worker {worker} has {:?} of {} at {}", claim.task, claim.agent, claim.target));
    }

    /// Lets a worker go on to its next call, or lets what it waits for arrive.
    pub(super) fn advance(&mut self, worker: usize) -> Result<(), String> {
        let waits = self.network.net().waits(worker);
        match waits {
            Some((call, false)) => match self.chance.below(10) {
                0..6 => return self.arrive(Some(call)),
                6 => self.network.net().times_out(call),
                _ => return Ok(()),
            },
            Some((_, true)) => {}
            None => {
                let turn = self.turn();
                if let Some(worker) = self.workers.get(worker) {
                    worker.pace.give(turn);
                }
            }
        }
        self.poll(worker)
    }

    /// Polls a worker that can go on, and looks at what it leaves behind if it has come to an end.
    pub(super) fn poll(&mut self, worker: usize) -> Result<(), String> {
        let pushed = self.network.net().pushed(worker);
        let Some(busy) = self.workers.get_mut(worker) else { return Ok(()) };
        let Some(job) = &mut busy.job else { return Ok(()) };
        let Poll::Ready(ended) = job.work.as_mut().poll(&mut Context::from_waker(Waker::noop())) else {
            return Ok(());
        };
        let Some(Job { claim, .. }) = busy.job.take() else { return Ok(()) };
        self.tell(|| format!("worker {worker} ends: {:?}", ended.as_ref().ok()));
        *self.ends.entry(name(&ended)).or_default() += 1;
        self.leases.check()?;
        if let (Ok(Step::Failed(class)), Some(pushed), Role::Live) = (ended, pushed, claim.role)
            && class.is_permanent()
        {
            self.look_at_failure(claim.agent, pushed)?;
        }
        self.look_at_view(claim.agent)?;
        if self.people.has_left(claim.target) { self.look_at_trail() } else { Ok(()) }
    }

    /// A worker renews its lease, and gives up what it does if it has lost it.
    fn renew(&mut self, worker: usize) {
        let (turn, until) = (self.turn(), self.clock.now().after(LEASE));
        let Some(busy) = self.workers.get_mut(worker) else { return };
        let Some(job) = &mut busy.job else { return };
        // It waits in a call of its own; this one is beside it.
        let beside =
            Paced { pace: Arc::default(), inner: Arc::clone(&busy.store.inner), leases: Arc::clone(&self.leases) };
        beside.pace.give(turn);
        match now(beside.renew(&job.claim, until)) {
            Ok(Held::Yes) => job.until = until,
            Ok(Held::No) => busy.job = None,
            Err(_) => {}
        }
    }

    fn crash(&mut self, worker: usize) {
        self.tell(|| format!("worker {worker} crashes"));
        if let Some(worker) = self.workers.get_mut(worker) {
            worker.job = None;
        }
    }

    fn release(&mut self, worker: usize) {
        let turn = self.turn();
        let Some(busy) = self.workers.get_mut(worker) else { return };
        let Some(Job { claim, work, .. }) = busy.job.take() else { return };
        drop(work);
        busy.pace.give(turn);
        let _ = now(busy.store.release(&[claim]));
    }

    fn wait(&mut self) {
        let waits = [(8, 100), (8, 1000), (6, 8000), (4, 16_000), (3, 31_000), (2, 320_000)];
        let wait = if self.chance.one_in(400) { 90_000_000 } else { self.chance.weighted(&waits) };
        self.pass(Duration::from_millis(wait));
    }

    /// Time passes. Whoever's lease has run out gives up, unless its process is paused.
    pub(super) fn pass(&mut self, time: Duration) {
        let at = self.clock.advance(time);
        let pauses = self.pauses;
        for worker in &mut self.workers {
            worker.job.take_if(|job| !pauses && job.until <= at);
        }
    }

    /// A message arrives: the one of this call, or any.
    pub(super) fn arrive(&mut self, call: Option<u64>) -> Result<(), String> {
        let fate = self.chance.weighted(&[
            (12, Fate::Applied),
            (2, Fate::AnswerLost),
            (2, Fate::Repeated),
            (1, Fate::Half),
            (1, Fate::Refused(FailureClass::ServerError)),
            (1, Fate::Refused(FailureClass::Auth)),
        ]);
        let index = {
            let net = self.network.net();
            match call {
                Some(call) => net.in_flight.iter().position(|message| message.call == call),
                None if net.in_flight.is_empty() => None,
                None => Some(self.chance.below(net.in_flight.len())),
            }
        };
        index.map_or(Ok(()), |index| self.deliver(index, fate))
    }

    pub(super) fn deliver(&mut self, index: usize, fate: Fate) -> Result<(), String> {
        if fate == Fate::Refused(FailureClass::Auth) {
            let token = self.network.net().in_flight.get(index).map(|message| message.token.clone());
            self.people.refused.extend(token);
        }
        let landing = self.network.net().deliver(index, fate);
        let Some(landing) = landing else { return Ok(()) };
        let message = landing.message.clone();
        self.tell(|| format!("machine {} has generation {} of {}", message.machine, message.generation, message.agent));
        self.look_at_landing(&landing)
    }

    fn vanish(&mut self) {
        let mut net = self.network.net();
        if !net.in_flight.is_empty() {
            let index = self.chance.below(net.in_flight.len());
            net.in_flight.remove(index);
        }
    }

    /// A runtime restarts. One that forgets what it held does not do so in the moment in which a paused process
    /// wakes up: nothing on this side could tell.
    fn restart(&mut self) {
        let machine = self.chance.below(3);
        let (at, fenced) = (self.clock.now(), self.network.net().fenced);
        let forgets = fenced && self.chance.one_in(2);
        if forgets {
            for worker in &mut self.workers {
                worker.job.take_if(|job| job.until <= at);
            }
        }
        self.tell(|| format!("machine {machine} restarts; it forgets: {forgets}"));
        self.network.net().restart(machine, forgets);
    }

    fn run_ahead(&mut self) {
        let machine = self.chance.below(3);
        let fenced = self.network.net().fenced;
        if fenced && self.chance.one_in(2) {
            self.tell(|| format!("machine {machine} is ahead"));
            self.network.net().run_ahead(machine);
        }
    }
}

impl Worker {
    pub(super) fn new(
        index: usize,
        inner: Arc<dyn SyncStore>,
        network: &Arc<Network>,
        leases: &Arc<Leases>,
        reconciler: impl FnOnce(Arc<dyn SyncStore>, Arc<dyn RuntimeClient>) -> Reconciler,
    ) -> Self {
        let pace = Arc::<Pace>::default();
        let store = Arc::new(Paced { inner, pace: Arc::clone(&pace), leases: Arc::clone(leases) });
        let line = Arc::new(Line { network: Arc::clone(network), pace: Arc::clone(&pace), worker: index });
        Self { pace, reconciler: reconciler(Arc::<Paced>::clone(&store), line), store, job: None }
    }

    pub(super) fn start(&mut self, claim: Claim, until: Timestamp) {
        let (reconciler, mine) = (self.reconciler.clone(), claim.clone());
        let work: Work = Box::pin(async move { reconciler.run(&mine).await });
        self.job = Some(Job { claim, work, until });
    }
}

fn name(ended: &Result<Step, Unavailable>) -> String {
    let Ok(step) = ended else { return "unrecorded".to_owned() };
    let name = format!("{step:?}");
    name.split('(').next().unwrap_or_default().to_owned()
}

/// How many machines there are.
pub(super) fn machines() -> usize {
    URLS.iter().map(|(_, machine)| machine + 1).max().unwrap_or_default()
}
