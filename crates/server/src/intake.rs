//! Events of requests at the same time go into the inbox together.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use nora_kernel::Unavailable;
use nora_webhooks::ports::{Appended, Inbox, Intake, IntakeError, NewEvent};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::error::cause;

/// How many appends are under way at once: while the inbox works on one, the next is made up.
const APPENDERS: u64 = 2;
/// How many events wait for each of them at most; those that come while so many do are turned away.
const QUEUE: usize = 1024;
/// How many events one append holds at most.
const GROUP: usize = 256;
/// How many bytes of bodies one append holds at most, unless a single event has more.
const GROUP_BYTES: usize = 8 * 1024 * 1024;
/// How long an event waits for an inbox that does not answer.
const PATIENCE: Duration = Duration::from_secs(8);
/// How many events for one append are a crowd.
const CROWD: usize = 16;
/// How long a group is gathered while there is a crowd: many rows cost the inbox little more than few.
const GATHERING: Duration = Duration::from_millis(1);
/// How long a crowd is remembered.
const MEMORY: Duration = Duration::from_millis(100);
/// The pause between two tries.
const PAUSE: Duration = Duration::from_millis(100);

/// Hands events to the loops that append them, and waits for what becomes of them.
#[derive(Clone)]
pub(crate) struct GroupedIntake {
    queues: Vec<mpsc::Sender<Waiting>>,
}

/// An event whose request waits.
struct Waiting {
    event: NewEvent,
    deadline: Instant,
    answer: oneshot::Sender<Result<Appended, IntakeError>>,
}

/// The loops that append events.
pub(crate) struct Appenders {
    inbox: Arc<dyn Inbox>,
    queues: Vec<mpsc::Receiver<Waiting>>,
    crowd: Crowd,
}

/// One of them.
struct Appender {
    inbox: Arc<dyn Inbox>,
    queue: mpsc::Receiver<Waiting>,
    crowd: Crowd,
}

/// An intake, and the loops it needs.
pub(crate) fn grouped(inbox: Arc<dyn Inbox>) -> (GroupedIntake, Appenders) {
    let (senders, queues) = (0..APPENDERS).map(|_| mpsc::channel(QUEUE)).unzip();
    (GroupedIntake { queues: senders }, Appenders { inbox, queues, crowd: Crowd::default() })
}

/// Whether senders crowd in. Work that can wait makes room for them.
#[derive(Clone, Default)]
pub(crate) struct Crowd(Arc<Mutex<Option<Instant>>>);

impl Crowd {
    pub(crate) fn is_there(&self) -> bool {
        self.seen().is_some_and(|seen| seen.elapsed() < MEMORY)
    }

    fn note(&self) {
        *self.seen() = Some(Instant::now());
    }

    fn seen(&self) -> MutexGuard<'_, Option<Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Intake for GroupedIntake {
    async fn keep(&self, event: NewEvent) -> Result<Appended, IntakeError> {
        let (answer, answered) = oneshot::channel();
        let deadline = Instant::now() + PATIENCE;
        let queue = self.queue_of(&event).ok_or_else(|| unavailable("the inbox is closed"))?;
        queue.try_send(Waiting { event, deadline, answer }).map_err(|_| IntakeError::Busy)?;
        match tokio::time::timeout_at(deadline, answered).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(unavailable("the inbox is closed")),
            Err(_) => Err(unavailable("the inbox did not answer in time")),
        }
    }
}

impl GroupedIntake {
    /// The events of a lane always go to the same loop, and so stay in the order they came in.
    fn queue_of(&self, event: &NewEvent) -> Option<&mpsc::Sender<Waiting>> {
        let mut lane = DefaultHasher::new();
        (event.channel, &event.ordering_key).hash(&mut lane);
        self.queues.get(usize::try_from(lane.finish() % APPENDERS).ok()?)
    }
}

fn unavailable(reason: &'static str) -> IntakeError {
    Unavailable::transient(reason).into()
}

impl Appenders {
    /// Tells others when senders crowd in.
    pub(crate) fn crowd(&self) -> Crowd {
        self.crowd.clone()
    }

    /// Appends until nobody can hand anything over any more.
    pub(crate) async fn run(self) {
        let Self { inbox, queues, crowd } = self;
        let mut running = JoinSet::new();
        for queue in queues {
            running.spawn(Appender { inbox: Arc::clone(&inbox), queue, crowd: crowd.clone() }.run());
        }
        while running.join_next().await.is_some() {}
    }
}

impl Appender {
    /// Appends whatever waits, at once; what comes while that is under way makes up the next group, and after a crowd
    /// that is gathered for a moment.
    async fn run(mut self) {
        let mut waiting = Vec::with_capacity(GROUP);
        while self.queue.recv_many(&mut waiting, GROUP).await > 0 {
            if waiting.len() >= CROWD {
                self.crowd.note();
            }
            while !waiting.is_empty() {
                let group = waiting.drain(..fitting(&waiting)).collect();
                self.append(group).await;
            }
            if self.crowd.is_there() && self.queue.len() < GROUP {
                tokio::time::sleep(GATHERING).await;
            }
        }
    }

    async fn append(&self, group: Vec<Waiting>) {
        // Whoever has gone is not answered, and was promised nothing.
        let group: Vec<Waiting> = group.into_iter().filter(|waiting| !waiting.answer.is_closed()).collect();
        let Some(deadline) = group.iter().map(|waiting| waiting.deadline).min() else { return };
        let (events, answers): (Vec<NewEvent>, Vec<_>) =
            group.into_iter().map(|waiting| (waiting.event, waiting.answer)).unzip();
        match self.try_append(&events, deadline).await {
            Ok(appended) => {
                for (answer, appended) in answers.into_iter().zip(appended) {
                    let _ = answer.send(Ok(appended));
                }
            }
            Err(error) if !error.is_retryable() && events.len() > 1 => self.one_by_one(events, answers, deadline).await,
            Err(error) => {
                tracing::error!(error = cause(&error), events = events.len(), "events were not kept");
                for answer in answers {
                    let _ = answer.send(Err(unavailable("the events were not kept")));
                }
            }
        }
    }

    /// One event that cannot be kept does not take the others with it.
    async fn one_by_one(
        &self,
        events: Vec<NewEvent>,
        answers: Vec<oneshot::Sender<Result<Appended, IntakeError>>>,
        deadline: Instant,
    ) {
        for (event, answer) in events.into_iter().zip(answers) {
            let appended = self.try_append(std::slice::from_ref(&event), deadline).await;
            let appended = appended.map(|appended| appended.first().copied());
            let _ = answer.send(match appended {
                Ok(Some(appended)) => Ok(appended),
                Ok(None) => Err(unavailable("the inbox says nothing about an event")),
                Err(error) => {
                    tracing::error!(event = %event.id, error = cause(&error), "an event was not kept");
                    Err(error.into())
                }
            });
        }
    }

    /// Appends, and again until the deadline while the inbox is away. Appending an event twice keeps it once.
    async fn try_append(&self, events: &[NewEvent], deadline: Instant) -> Result<Vec<Appended>, Unavailable> {
        loop {
            let appended = tokio::time::timeout_at(deadline, self.inbox.append(events)).await;
            match appended.unwrap_or_else(|_| Err(Unavailable::transient("the inbox did not answer in time"))) {
                Err(error) if error.is_retryable() && Instant::now() + PAUSE < deadline => {
                    tokio::time::sleep(PAUSE).await;
                }
                ended => return ended,
            }
        }
    }
}

/// How many of those that wait make up the next group: at least one.
fn fitting(waiting: &[Waiting]) -> usize {
    let mut bytes = 0_usize;
    let fits = waiting.iter().take_while(|waiting| {
        bytes = bytes.saturating_add(waiting.event.body.len());
        bytes <= GROUP_BYTES
    });
    fits.count().max(1)
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::Mutex;

    use bytes::Bytes;
    use nora_kernel::{ChannelId, EventId, Timestamp};
    use nora_webhooks::{HANDLER_VERSION, Headers, OrderingKey, Verdict};
    use tokio::sync::Semaphore;
    use uuid::Uuid;

    use super::*;

    /// An inbox whose appends wait to be let through, and fail as often as it is told.
    struct Scripted {
        groups: Mutex<Vec<usize>>,
        gate: Semaphore,
        failures: Mutex<VecDeque<Unavailable>>,
    }

    impl Scripted {
        fn new(passes: usize, failures: impl IntoIterator<Item = Unavailable>) -> Arc<Self> {
            Arc::new(Self {
                groups: Mutex::default(),
                gate: Semaphore::new(passes),
                failures: Mutex::new(failures.into_iter().collect()),
            })
        }

        fn groups(&self) -> Vec<usize> {
            self.groups.lock().unwrap().clone()
        }
    }

    #[async_trait]
    impl Inbox for Scripted {
        async fn append(&self, events: &[NewEvent]) -> Result<Vec<Appended>, Unavailable> {
            self.groups.lock().unwrap().push(events.len());
            self.gate.acquire().await.unwrap().forget();
            match self.failures.lock().unwrap().pop_front() {
                Some(error) => Err(error),
                None => Ok(vec![Appended::Kept; events.len()]),
            }
        }
    }

    fn event(bytes: usize) -> NewEvent {
        NewEvent {
            id: EventId::from_uuid(Uuid::nil()),
            channel: ChannelId::from_uuid(Uuid::nil()),
            received_at: Timestamp::from_microseconds(0),
            verdict: Verdict::Unverified,
            verified_by: None,
            handler: HANDLER_VERSION,
            delivery_id: None,
            dedupe_key: None,
            event_type: None,
            ordering_key: OrderingKey::default(),
            query: String::new(),
            headers: Headers::default(),
            body: Bytes::from(vec![0; bytes]),
        }
    }

    fn running(inbox: &Arc<Scripted>) -> GroupedIntake {
        watched(inbox).0
    }

    fn watched(inbox: &Arc<Scripted>) -> (GroupedIntake, Crowd) {
        let (intake, appenders) = grouped(Arc::<Scripted>::clone(inbox));
        let crowd = appenders.crowd();
        tokio::spawn(appenders.run());
        (intake, crowd)
    }

    fn keep(intake: &GroupedIntake, bytes: usize) -> tokio::task::JoinHandle<Result<Appended, IntakeError>> {
        let intake = intake.clone();
        tokio::spawn(async move { intake.keep(event(bytes)).await })
    }

    #[tokio::test(start_paused = true)]
    async fn what_comes_while_one_append_is_under_way_goes_into_the_next() {
        let inbox = Scripted::new(0, []);
        let intake = running(&inbox);
        let mut kept = vec![keep(&intake, 1)];
        tokio::time::sleep(PAUSE).await;
        kept.extend((0..100).map(|_| keep(&intake, 1)));
        tokio::time::sleep(PAUSE).await;
        assert_eq!(inbox.groups(), [1], "the first does not wait for others");
        inbox.gate.add_permits(10);
        for kept in kept {
            assert!(matches!(kept.await.unwrap(), Ok(Appended::Kept)));
        }
        assert_eq!(inbox.groups(), [1, 100]);
    }

    #[tokio::test(start_paused = true)]
    async fn lanes_are_shared_out_and_each_keeps_to_one_append_at_a_time() {
        let inbox = Scripted::new(0, []);
        let intake = running(&inbox);
        let channel = |number| ChannelId::from_uuid(Uuid::from_u128(number));
        for lane in (0..40).chain(0..40) {
            let (intake, event) = (intake.clone(), NewEvent { channel: channel(lane), ..event(1) });
            tokio::spawn(async move { intake.keep(event).await });
        }
        tokio::time::sleep(PAUSE).await;
        let first = inbox.groups();
        assert_eq!(first.len(), 2, "both work, and no third");
        assert!(
            first.iter().all(|size| size.is_multiple_of(2)),
            "an event is where its lane's other one is: {first:?}"
        );
        assert_eq!(first.iter().sum::<usize>(), 80);
    }

    #[tokio::test(start_paused = true)]
    async fn a_crowd_is_noticed_and_gathered_until_it_has_gone() {
        let inbox = Scripted::new(1000, []);
        let (intake, crowd) = watched(&inbox);
        assert!(keep(&intake, 1).await.unwrap().is_ok());
        assert!(!crowd.is_there(), "one is no crowd");
        for kept in (0..CROWD).map(|_| keep(&intake, 1)).collect::<Vec<_>>() {
            assert!(kept.await.unwrap().is_ok());
        }
        assert!(crowd.is_there());
        let early = keep(&intake, 1);
        // Time enough for an append, if it were not held back.
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        for kept in [early, keep(&intake, 1)] {
            assert!(kept.await.unwrap().is_ok());
        }
        assert_eq!(inbox.groups(), [1, CROWD, 2], "what comes within the same moment goes together");
        tokio::time::sleep(MEMORY).await;
        assert!(!crowd.is_there());
    }

    #[tokio::test(start_paused = true)]
    async fn a_group_is_bounded_in_bytes() {
        let inbox = Scripted::new(10, []);
        let intake = running(&inbox);
        let kept: Vec<_> = (0..3).map(|_| keep(&intake, GROUP_BYTES / 2)).collect();
        for kept in kept {
            assert!(kept.await.unwrap().is_ok());
        }
        assert_eq!(inbox.groups(), [2, 1]);
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_wait_than_may() {
        let inbox = Scripted::new(0, []);
        let intake = running(&inbox);
        let first = keep(&intake, 1);
        tokio::time::sleep(PAUSE).await;
        let waiting: Vec<_> = (0..QUEUE).map(|_| keep(&intake, 1)).collect();
        tokio::time::sleep(PAUSE).await;
        assert!(matches!(intake.keep(event(1)).await, Err(IntakeError::Busy)));
        inbox.gate.add_permits(QUEUE);
        for kept in std::iter::once(first).chain(waiting) {
            assert!(kept.await.unwrap().is_ok());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_passing_fault_is_waited_out_and_a_long_one_is_told() {
        let inbox = Scripted::new(1000, (0..5).map(|_| Unavailable::transient("away")));
        assert!(running(&inbox).keep(event(1)).await.is_ok());
        let inbox = Scripted::new(1000, (0..1000).map(|_| Unavailable::transient("away")));
        assert!(matches!(running(&inbox).keep(event(1)).await, Err(IntakeError::Unavailable(_))));
        let silent = Scripted::new(0, []);
        assert!(matches!(running(&silent).keep(event(1)).await, Err(IntakeError::Unavailable(_))));
    }

    #[tokio::test(start_paused = true)]
    async fn an_event_that_cannot_be_kept_takes_no_other_with_it() {
        let inbox = Scripted::new(0, [Unavailable::fault("one of them"), Unavailable::fault("this one")]);
        let intake = running(&inbox);
        let kept = [keep(&intake, 1), keep(&intake, 1), keep(&intake, 1)];
        tokio::time::sleep(PAUSE).await;
        inbox.gate.add_permits(10);
        let mut refused = 0;
        for kept in kept {
            refused += usize::from(kept.await.unwrap().is_err());
        }
        assert_eq!((refused, inbox.groups()), (1, vec![3, 1, 1, 1]));
    }
}
