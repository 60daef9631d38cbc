//! A runtime as the process it lives in sees it.

use std::ffi::OsStr;
use std::process::Command;
use std::sync::Arc;

use nora_kernel::{AgentId, Secret};
use serde_json::Value;

use crate::deployment::Server;
use crate::faults::{Faults, Route};
use crate::mcp::{Fleet, McpReport, Surroundings};
use crate::state::{Known, State};
use crate::state_file::StateFileError;
use crate::{AppliedPush, Deployment, Event};

/// A runtime as the process it lives in sees it. Cloning it is cheap.
#[derive(Clone)]
pub struct Handle {
    pub(crate) state: Arc<State>,
    pub(crate) fleet: Arc<Fleet>,
    pub(crate) faults: Arc<Faults>,
    pub(crate) surroundings: Surroundings,
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
        self.state.known().deployment.clone()
    }

    /// The MCP servers of that document, and how far each one is.
    pub fn mcp(&self) -> McpReport {
        self.fleet.report()
    }

    /// The program of an MCP server of that document, as it is started here: with the variables it declares, with
    /// `PATH` and `HOME`, and with nothing else. `None` if there is no such server, or it is on the network.
    pub fn mcp_command(&self, name: &str) -> Option<Command> {
        let known = self.state.known();
        match known.deployment.as_ref()?.servers().get(name)? {
            Server::Stdio(program) => Some(self.surroundings.server(program)),
            Server::Remote(_) => None,
        }
    }

    /// Takes a deployment document and brings the servers to what it says.
    pub(crate) fn deploy(&self, deployment: Deployment) -> Result<(), StateFileError> {
        self.state.deploy(deployment)?;
        self.restore();
        Ok(())
    }

    /// Brings the servers to what the document taken last says.
    pub(crate) fn restore(&self) {
        if let Some(deployment) = &self.state.known().deployment {
            self.fleet.apply(deployment);
        }
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
        let mut command = self.surroundings.command(program);
        let known = self.state.known();
        let applied = known.push.iter().flat_map(AppliedPush::env);
        command.envs(applied.map(|(name, value)| (name.as_str(), value.expose())));
        command
    }
}

fn generation(known: &Known) -> Option<u64> {
    known.push.as_ref().map(AppliedPush::generation)
}
