//! What happened, in order, at several fakes.

use std::sync::{Arc, Mutex};

/// A list of events that fakes share, so that a test can see what came before what.
#[derive(Debug, Clone, Default)]
pub struct Journal(Arc<Mutex<Vec<String>>>);

impl Journal {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    pub(crate) fn write(&self, event: impl Into<String>) {
        self.0.lock().unwrap().push(event.into());
    }

    /// The events since the last look.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}
