//! Events of requests at the same time go into the inbox together.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use nora_kernel::Unavailable;
use nora_webhooks::ports::{Appended, Inbox, Intake, IntakeError, NewEvent};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use crate::error::cause;

/// How many events wait at most; those that come while so many do are turned away.
const QUEUE: usize = 2048;
/// How many events one append holds at most.
const GROUP: usize = 256;
/// How many bytes of bodies one append holds at most, unless a single event has more.
const GROUP_BYTES: usize = 8 * 1024 * 1024;
/// How long an event waits for an inbox that does not answer.
const PATIENCE: Duration = Duration::from_secs(8);
/// The pause between two tries.
const PAUSE: Duration = Duration::from_millis(100);

/// Hands events to the loop that appends them, and waits for what becomes of them.
#[derive(Clone)]
pub(crate) struct GroupedIntake {
    queue: mpsc::Sender<Waiting>,
}

/// An event whose request waits.
struct Waiting {
    event: NewEvent,
    deadline: Instant,
    answer: oneshot::Sender<Result<Appended, IntakeError>>,
}

/// The loop that appends events.
pub(crate) struct Appender {
    inbox: Arc<dyn Inbox>,
    queue: mpsc::Receiver<Waiting>,
}

/// An intake, and the loop it needs.
pub(crate) fn grouped(inbox: Arc<dyn Inbox>) -> (GroupedIntake, Appender) {
    let (sender, queue) = mpsc::channel(QUEUE);
    (GroupedIntake { queue: sender }, Appender { inbox, queue })
}

#[async_trait]
impl Intake for GroupedIntake {
    async fn keep(&self, event: NewEvent) -> Result<Appended, IntakeError> {
        let (answer, answered) = oneshot::channel();
        let deadline = Instant::now() + PATIENCE;
        self.queue.try_send(Waiting { event, deadline, answer }).map_err(|_| IntakeError::Busy)?;
        match tokio::time::timeout_at(deadline, answered).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(unavailable("the inbox is closed")),
            Err(_) => Err(unavailable("the inbox did not answer in time")),
        }
    }
}

fn unavailable(reason: &'static str) -> IntakeError {
    Unavailable::transient(reason).into()
}

impl Appender {
    /// Appends whatever waits, at once; what comes while that is under way makes up the next group. It ends when
    /// nobody can hand anything over any more.
    pub(crate) async fn run(mut self) {
        let mut waiting = Vec::with_capacity(GROUP);
        while self.queue.recv_many(&mut waiting, GROUP).await > 0 {
            while !waiting.is_empty() {
                let group = waiting.drain(..fitting(&waiting)).collect();
                self.append(group).await;
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
