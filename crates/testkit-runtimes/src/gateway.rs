//! An `OpenClaw` gateway.

mod connection;
mod handshake;
mod methods;
mod params;
mod refusals;
mod state;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::Journal;
use state::{Entry, State};

/// Whether a gateway takes those who connect for neighbours on its own machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// From elsewhere: nothing is granted without a paired device.
    Remote,
    /// From its own machine: scopes are granted to whoever knows the secret.
    Local,
}

/// What kind of gateway to start.
#[derive(Debug, Clone)]
pub struct GatewaySettings {
    /// The shared secret.
    pub secret: String,
    /// How those who connect are taken.
    pub reach: Reach,
    /// The ids of the devices that were paired.
    pub paired: Vec<String>,
    /// The protocol it speaks: 3 or 4. The secret store came with neither.
    pub protocol: u64,
    /// Whether it has a secret store.
    pub store: bool,
    /// Whether its egress proxy is on.
    pub egress_proxy: bool,
    /// How many writes of one kind it takes in 60 seconds.
    pub writes_per_minute: usize,
}

impl Default for GatewaySettings {
    fn default() -> Self {
        Self {
            secret: "test-gateway-secret-0123456789abcdef".to_owned(),
            reach: Reach::Local,
            paired: Vec::new(),
            protocol: 4,
            store: true,
            egress_proxy: false,
            writes_per_minute: 30,
        }
    }
}

/// A gateway.
pub struct Gateway {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    task: Option<JoinHandle<()>>,
}

impl Gateway {
    /// Starts one with an empty store.
    pub async fn start(settings: GatewaySettings, journal: Journal) -> Self {
        let state = Arc::new(Mutex::new(State::new(settings, journal)));
        let mut gateway = Self { address: (Ipv4Addr::LOCALHOST, 0).into(), state, task: None };
        gateway.listen().await;
        gateway
    }

    async fn listen(&mut self) {
        let listener = TcpListener::bind(self.address).await.unwrap();
        self.address = listener.local_addr().unwrap();
        let state = Arc::clone(&self.state);
        self.task = Some(tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(connection::serve(stream, Arc::clone(&state)));
            }
        }));
    }

    /// Makes it refuse connections. What it holds stays.
    pub async fn stop(&mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
            let _ = task.await;
        }
    }

    /// Starts it again where it was, with what it holds and another boot id.
    pub async fn restart(&mut self) {
        self.stop().await;
        self.state().boot += 1;
        self.listen().await;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("ws://{}", self.address)
    }

    /// What the commands of an agent's next run find in their environment.
    pub fn environment(&self) -> BTreeMap<String, String> {
        self.state().environment()
    }

    /// Every name in its store, with how it is held and who wrote it last.
    pub fn entries(&self) -> Vec<String> {
        let shown = |(name, entry): (&String, &Entry)| {
            let hosts = entry.hosts.join(",");
            format!("{name} {}{}{hosts} {}", entry.kind, if hosts.is_empty() { "" } else { ":" }, entry.author)
        };
        self.state().entries.iter().map(shown).collect()
    }

    /// An operator writes a plain entry.
    pub fn write(&self, name: &str, value: &str) {
        self.state().write(name, value, "env", Vec::new(), "operator");
    }

    /// An operator deletes an entry.
    pub fn delete(&self, name: &str) {
        self.state().entries.remove(name);
    }

    /// Pairs a device.
    pub fn pair(&self, device: &str) {
        self.state().settings.paired.push(device.to_owned());
    }

    /// Tells the next connections that it is starting.
    pub fn starts_slowly(&self, connections: usize) {
        self.state().starting = connections;
    }

    /// Closes the connection with 1012 in place of the answer to the call after `calls` more of them, once.
    pub fn restarts_after(&self, calls: usize) {
        self.state().restart_after = Some(calls);
    }

    /// Lets a minute pass for its limits.
    pub fn lets_a_minute_pass(&self) {
        self.state().writes.clear();
    }

    /// Connections that were opened.
    pub fn connections(&self) -> usize {
        self.state().connections
    }

    /// The methods that were called, in order, since the last look.
    pub fn calls(&self) -> Vec<String> {
        std::mem::take(&mut self.state().calls)
    }

    /// Every frame that was sent to it, as it came.
    pub fn frames(&self) -> Vec<String> {
        self.state().frames.clone()
    }

    /// An operator adds an MCP server.
    pub fn serve(&self, name: &str, server: serde_json::Value) {
        let mut state = self.state();
        state.servers.insert(name.to_owned(), server);
        state.revision += 1;
    }

    /// Somebody else changes the configuration before each of the next patches.
    pub fn changes_before_patches(&self, patches: usize) {
        self.state().foreign_changes = patches;
    }

    /// The MCP servers of its configuration.
    pub fn servers(&self) -> serde_json::Map<String, serde_json::Value> {
        self.state().servers.clone()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}
