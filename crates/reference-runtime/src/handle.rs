//! A runtime as the process it lives in sees it.

use std::ffi::{OsStr, OsString};
use std::process::Command;
use std::sync::Arc;

use nora_kernel::{AgentId, Secret};
use serde_json::Value;

use crate::faults::{Faults, Route};
use crate::state::{Known, State};
use crate::{AppliedPush, Deployment, Event};

/// A runtime as the process it lives in sees it. Cloning it is cheap.
#[derive(Clone)]
pub struct Handle {
    pub(crate) state: Arc<State>,
    pub(crate) faults: Arc<Faults>,
    pub(crate) path: Option<OsString>,
    pub(crate) home: Option<OsString>,
}

impl Handle {
    /// The value of a variable, if it is set.
    pub fn env_value(&self, name: &str) -> Option<Secret> {
        self.state.known().push.as_ref().and_then(|push| push.env().get(name)).map(Secret::duplicate)
    }

    /// The names of all variables, in order.
    pub fn env_names(&self) -> Vec<String> {
        let known = self.state.known();
        known.push.iter().flat_map(|push| push.env().keys()).map(ToString::to_string).collect()
    }

    /// The agent whose state it holds.
    pub fn agent(&self) -> Option<AgentId> {
        self.state.known().push.as_ref().map(AppliedPush::agent)
    }

    /// The generation it holds.
    pub fn generation(&self) -> Option<u64> {
        generation(&self.state.known())
    }

    /// The integrations, as they were pushed.
    pub fn integrations(&self) -> Vec<Value> {
        self.state.known().push.iter().flat_map(AppliedPush::integrations).cloned().collect()
    }

    /// The events taken last, oldest first.
    pub fn events(&self) -> Vec<Event> {
        self.state.known().inbox.events()
    }

    /// The deployment document taken last.
    pub fn deployment(&self) -> Option<Deployment> {
        self.state.known().deployment.as_ref().map(Deployment::duplicate)
    }

    /// Waits until it holds `least` or a later generation.
    pub async fn wait_for_generation(&self, least: u64) {
        self.state.until(|known| generation(known).is_some_and(|held| held >= least)).await;
    }

    /// Waits until it has taken the event `id`.
    pub async fn wait_for_event(&self, id: &str) {
        self.state.until(|known| known.inbox.contains(id)).await;
    }

    /// Waits until it holds the deployment document with this digest.
    pub async fn wait_for_deployment(&self, digest: &str) {
        self.state.until(|known| known.deployment.as_ref().is_some_and(|held| held.digest == digest)).await;
    }

    /// How many requests have come in for a route, whatever became of them.
    pub fn calls(&self, route: Route) -> u64 {
        self.faults.calls(route)
    }

    /// What it is to do wrong.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// A program that will start with the applied environment, with `PATH` and `HOME`, and with nothing else.
    ///
    /// The environment is the one of this moment: a later push is for what is started later.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear();
        let surroundings = [("PATH", &self.path), ("HOME", &self.home)];
        command.envs(surroundings.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?))));
        let known = self.state.known();
        let applied = known.push.iter().flat_map(AppliedPush::env);
        command.envs(applied.map(|(name, value)| (name.as_str(), value.expose())));
        command
    }
}

fn generation(known: &Known) -> Option<u64> {
    known.push.as_ref().map(AppliedPush::generation)
}
