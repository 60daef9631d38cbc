//! One server's process, from its start to its end.

use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, Command};

use super::client::{Client, ClientError};
use super::report::{McpServerReport, McpServerState};
use super::{Surroundings, locked};
use crate::deployment::Program;

/// How long a server may take until it has told its tools. A package runner may have to fetch it first.
const PATIENCE: Duration = Duration::from_mins(2);

/// A server to be started and watched.
pub(super) struct Supervised {
    pub(super) program: Program,
    pub(super) surroundings: Surroundings,
    pub(super) report: Arc<Mutex<McpServerReport>>,
}

/// The process group of a server: a package runner starts the server as a child of its own. Dropping it ends them all.
struct Group(Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // It fails only if all of them have ended.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

impl Supervised {
    /// Starts the server, asks for its tools, and waits for its end.
    pub(super) async fn run(self) {
        let mut started = Command::from(self.surroundings.server(&self.program));
        // What a server says beside the protocol may repeat what it was given.
        started.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let ended = match started.process_group(0).kill_on_drop(true).spawn() {
            Ok(child) => self.watch(child).await,
            Err(error) => format!("the program does not start: {}", error.kind()),
        };
        locked(&self.report).fail(ended);
    }

    async fn watch(&self, mut child: Child) -> String {
        let pid = child.id();
        let _group = Group(pid.and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?)));
        locked(&self.report).pid = pid;
        let Some(mut client) = child.stdin.take().zip(child.stdout.take()).map(Client::new) else {
            return "the program has no standard streams".to_owned();
        };
        match tokio::time::timeout(PATIENCE, client.tools()).await {
            Err(_) => return "the server did not tell its tools in time".to_owned(),
            Ok(Err(ClientError::Closed)) => return ended(&mut child).await,
            Ok(Err(error)) => return error.to_string(),
            Ok(Ok(tools)) => {
                let mut report = locked(&self.report);
                report.tools = tools;
                report.state = McpServerState::Running;
            }
        }
        client.drain().await;
        ended(&mut child).await
    }
}

async fn ended(child: &mut Child) -> String {
    // Whoever closed its output and lives on is of no use any more.
    let status = tokio::time::timeout(Duration::from_secs(5), child.wait()).await;
    match status {
        Ok(Ok(status)) => format!("the program ended: {status}"),
        Ok(Err(_)) | Err(_) => "the program closed its output".to_owned(),
    }
}
