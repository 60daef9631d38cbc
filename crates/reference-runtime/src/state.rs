//! Everything a runtime knows, behind one lock.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::event::{Event, Inbox};
use crate::state_file::{StateFile, StateFileError};
use crate::{AppliedPush, Deployment};

pub(crate) struct State {
    known: Mutex<Known>,
    file: Option<StateFile>,
    changes: watch::Sender<()>,
}

pub(crate) struct Known {
    pub(crate) push: Option<AppliedPush>,
    pub(crate) deployment: Option<Deployment>,
    pub(crate) inbox: Inbox,
}

/// Why a push was not applied.
#[derive(Debug)]
pub(crate) enum ApplyError {
    /// This generation is held already.
    Superseded(u64),
    /// It could not be kept, so it was not applied either.
    NotKept(StateFileError),
}

impl State {
    pub(crate) fn open(file: Option<StateFile>, events_kept: usize) -> Result<Self, StateFileError> {
        let push = file.as_ref().map(|file| file.load(|json| AppliedPush::parse(json).ok())).transpose()?.flatten();
        let deployments = file.as_ref().map(StateFile::for_deployments);
        let deployment = deployments.map(|file| file.load(Deployment::parse)).transpose()?.flatten();
        let known = Known { push, deployment, inbox: Inbox::new(events_kept) };
        Ok(Self { known: Mutex::new(known), file, changes: watch::Sender::new(()) })
    }

    pub(crate) fn known(&self) -> MutexGuard<'_, Known> {
        // Whoever panicked with the lock held had not begun to change anything.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Applies a whole push, or nothing of it.
    ///
    /// Generations are counted per agent: another agent's push starts over.
    pub(crate) fn apply(&self, push: AppliedPush) -> Result<(), ApplyError> {
        let mut known = self.known();
        let held = known.push.as_ref().filter(|held| held.agent() == push.agent());
        if let Some(held) = held.filter(|held| held.generation() > push.generation()) {
            return Err(ApplyError::Superseded(held.generation()));
        }
        if let Some(file) = &self.file {
            file.save(push.to_json()).map_err(ApplyError::NotKept)?;
        }
        known.push = Some(push);
        drop(known);
        self.changes.send_replace(());
        Ok(())
    }

    pub(crate) fn take(&self, event: Event) {
        self.known().inbox.take(event);
        self.changes.send_replace(());
    }

    /// Keeps a deployment; what it says is done by whoever calls.
    pub(crate) fn deploy(&self, deployment: Deployment) -> Result<(), StateFileError> {
        let mut known = self.known();
        if let Some(file) = &self.file {
            file.for_deployments().save(deployment.to_json())?;
        }
        known.deployment = Some(deployment);
        drop(known);
        self.changes.send_replace(());
        Ok(())
    }

    /// Waits until what is known satisfies `condition`.
    pub(crate) async fn until(&self, condition: impl Fn(&Known) -> bool) {
        let mut changes = self.changes.subscribe();
        while !condition(&self.known()) {
            // The sender lives as long as `self`.
            let _ = changes.changed().await;
        }
    }
}
