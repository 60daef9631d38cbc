//! What is known of the servers, without anything they were given.

use serde::Serialize;

/// The servers of the deployment that was applied last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct McpReport {
    /// The digest of the deployment; `None` before the first.
    pub digest: Option<String>,
    /// Its servers, in the order of their names.
    pub servers: Vec<McpServerReport>,
}

/// One server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct McpServerReport {
    /// Its name.
    pub name: String,
    /// How far it is.
    pub state: McpServerState,
    /// Its process, while it runs.
    pub pid: Option<u32>,
    /// The names of its tools, once it has told them.
    pub tools: Vec<String>,
    /// Why it failed.
    pub error: Option<String>,
}

/// How far a server is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum McpServerState {
    /// Its process was started and has not told its tools yet.
    Starting,
    /// It has told its tools.
    Running,
    /// Its process did not start, ended, or does not speak the protocol.
    Failed,
    /// It is on the network: nothing is started for it.
    Remote,
}

impl McpServerReport {
    pub(super) fn new(name: &str, is_remote: bool) -> Self {
        let state = if is_remote { McpServerState::Remote } else { McpServerState::Starting };
        Self { name: name.to_owned(), state, pid: None, tools: Vec::new(), error: None }
    }

    pub(super) fn fail(&mut self, error: String) {
        self.state = McpServerState::Failed;
        self.pid = None;
        self.error = Some(error);
    }
}
