//! Runtimes for agents: the reference runtime in this process, on a port it keeps over a restart.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::net::{Ipv4Addr, SocketAddr};

use nora_kernel::Secret;
use nora_reference_runtime::{Config, Handle, McpServerReport, McpServerState, RunningRuntime};

pub use nora_reference_runtime::faults;

use crate::ports::random;
use crate::{eventually, free_port};

/// A runtime.
pub struct Runtime {
    address: SocketAddr,
    token: String,
    surroundings: Option<(OsString, OsString)>,
    running: Option<RunningRuntime>,
}

impl Runtime {
    /// Starts a runtime that holds nothing.
    pub async fn start() -> Self {
        Self::begin(None).await
    }

    /// Starts a runtime that gives what it starts this `PATH` and `HOME`.
    pub async fn start_within(path: impl Into<OsString>, home: impl Into<OsString>) -> Self {
        Self::begin(Some((path.into(), home.into()))).await
    }

    async fn begin(surroundings: Option<(OsString, OsString)>) -> Self {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
        let mut runtime = Self { address, token: format!("rt-{:032x}", random()), surroundings, running: None };
        runtime.restart().await;
        runtime
    }

    /// Stops it, so that it refuses connections.
    pub async fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            running.stop().await;
        }
    }

    /// Starts it again at the same address, with nothing of what it held.
    pub async fn restart(&mut self) {
        self.stop().await;
        let mut config = Config { listen: self.address, ..Config::on_loopback(Secret::new(self.token.clone())) };
        if let Some((path, home)) = self.surroundings.clone() {
            (config.path, config.home) = (Some(path), Some(home));
        }
        self.running = Some(RunningRuntime::start(config).unwrap());
    }

    /// Its base URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The token it demands.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// What it holds, while it runs.
    pub fn handle(&self) -> &Handle {
        self.running.as_ref().unwrap().handle()
    }

    /// The environment it gives to what it starts next.
    pub fn env(&self) -> BTreeMap<String, String> {
        let handle = self.handle();
        let value = |name: &String| handle.env_value(name).map(|value| value.expose().to_owned());
        handle.env_names().into_iter().filter_map(|name| value(&name).map(|value| (name, value))).collect()
    }

    /// Waits until it runs exactly these MCP servers and each has told its tools; returns them.
    pub async fn wait_for_servers(&self, names: &[&str]) -> Vec<McpServerReport> {
        let what = format!("a runtime that runs {names:?}");
        let is_there = |servers: &Vec<McpServerReport>| {
            let running = servers.iter().filter(|server| server.state == McpServerState::Running);
            servers.len() == names.len() && running.map(|server| server.name.as_str()).eq(names.iter().copied())
        };
        eventually(&what, async || Some(self.handle().mcp().servers).filter(is_there)).await
    }

    /// Waits until its environment is exactly this.
    pub async fn wait_for_env(&self, expected: &[(&str, &str)]) {
        let expected = expected.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        self.wait_for(&expected).await;
    }

    /// Waits until its environment is exactly this.
    pub async fn wait_for(&self, expected: &BTreeMap<String, String>) {
        let what = format!("a runtime with {:?}", expected.keys());
        eventually(&what, async || (self.env() == *expected).then_some(())).await;
    }

    /// Waits until a variable has this value.
    pub async fn wait_for_value(&self, name: &str, value: &str) {
        let what = format!("a runtime with the new {name}");
        eventually(&what, async || (self.env().get(name).map(String::as_str) == Some(value)).then_some(())).await;
    }
}
