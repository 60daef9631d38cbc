//! Telling loops to stop, and giving them time to.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

/// Tells every [`Stop`] made from it to stop.
#[derive(Debug)]
pub(crate) struct Stopper(watch::Sender<Option<Instant>>);

/// Known to a loop that can be told to stop.
#[derive(Debug, Clone)]
pub(crate) struct Stop(watch::Receiver<Option<Instant>>);

impl Stopper {
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(None))
    }

    pub(crate) fn listener(&self) -> Stop {
        Stop(self.0.subscribe())
    }

    /// Stops everybody; work under way may go on until `deadline`.
    pub(crate) fn stop(&self, deadline: Instant) {
        self.0.send_replace(Some(deadline));
    }
}

impl Stop {
    pub(crate) fn is_set(&self) -> bool {
        self.0.borrow().is_some()
    }

    /// Waits until told to stop.
    pub(crate) async fn set(&self) {
        // An error means that the stopper is gone, which is as good as being told.
        let _ = self.0.clone().wait_for(Option::is_some).await;
    }

    /// Sleeps, or less if told to stop meanwhile.
    pub(crate) async fn or_sleep(&self, pause: Duration) {
        tokio::select! {
            () = self.set() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }

    /// Waits until told to stop and until the time for work under way is over.
    pub(crate) async fn deadline(&self) {
        self.set().await;
        let deadline = self.0.borrow().unwrap_or_else(Instant::now);
        tokio::time::sleep_until(deadline).await;
    }
}
