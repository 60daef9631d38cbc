//! Misbehaviour on demand, for the tests of whoever speaks to a runtime.
//!
//! It can be asked for through the library alone; nothing on the wire leads here.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Where a request goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// `POST /integrations/sync`.
    Sync,
    /// `POST /channels/receive`.
    Events,
    /// `POST /deployment`.
    Deployment,
    /// `GET /health`.
    Health,
}

/// What is done instead of what the contract says.
#[derive(Debug, Clone)]
pub enum Fault {
    /// The request is not looked at, and this is the answer.
    Answer {
        /// The status.
        status: u16,
        /// Headers beside `Content-Length`.
        headers: Vec<(&'static str, String)>,
        /// The body.
        body: String,
    },
    /// The request is served as usual after this time.
    Delay(Duration),
    /// The request is never answered.
    Silence,
    /// The connection is cut in the middle of an answer.
    Cut,
    /// The request is served as usual, and the connection is cut before the answer is told.
    CutAfterwards,
}

impl Fault {
    /// An answer with this status and no content.
    pub fn status(status: u16) -> Self {
        Self::Answer { status, headers: Vec::new(), body: String::new() }
    }

    /// An answer of 200 with this body, though nothing is applied.
    pub fn lie(body: impl Into<String>) -> Self {
        Self::Answer { status: 200, headers: Vec::new(), body: body.into() }
    }
}

/// What a runtime is to do wrong.
#[derive(Default)]
pub struct Faults {
    planned: Mutex<VecDeque<Planned>>,
    calls: [AtomicU64; 4],
}

struct Planned {
    route: Route,
    fault: Fault,
    always: bool,
}

impl Faults {
    /// The next request for `route` meets `fault`; faults for one route are used up in order.
    pub fn next(&self, route: Route, fault: Fault) {
        self.planned().push_back(Planned { route, fault, always: false });
    }

    /// Every request for `route` meets `fault`, once what was planned before is used up.
    pub fn always(&self, route: Route, fault: Fault) {
        self.planned().push_back(Planned { route, fault, always: true });
    }

    /// The runtime behaves again.
    pub fn clear(&self) {
        self.planned().clear();
    }

    pub(crate) fn calls(&self, route: Route) -> u64 {
        self.counter(route).load(Ordering::SeqCst)
    }

    /// Counts a request, and says what it meets.
    pub(crate) fn meet(&self, route: Route) -> Option<Fault> {
        self.counter(route).fetch_add(1, Ordering::SeqCst);
        let mut planned = self.planned();
        let place = planned.iter().position(|planned| planned.route == route)?;
        if planned.get(place)?.always {
            return planned.get(place).map(|planned| planned.fault.clone());
        }
        planned.remove(place).map(|planned| planned.fault)
    }

    fn planned(&self) -> MutexGuard<'_, VecDeque<Planned>> {
        self.planned.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn counter(&self, route: Route) -> &AtomicU64 {
        let [sync, events, deployment, health] = &self.calls;
        match route {
            Route::Sync => sync,
            Route::Events => events,
            Route::Deployment => deployment,
            Route::Health => health,
        }
    }
}
