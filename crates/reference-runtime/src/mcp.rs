//! The MCP servers of a deployment, as child processes.

mod child;
mod client;
mod report;

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use crate::Deployment;
use crate::deployment::{Program, Server};
use child::Supervised;
pub use report::{McpReport, McpServerReport, McpServerState};

/// What every child gets beside what its server declares.
#[derive(Clone)]
pub(crate) struct Surroundings {
    pub(crate) path: Option<OsString>,
    pub(crate) home: Option<OsString>,
}

impl Surroundings {
    /// A program that will start with these and nothing else.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear();
        let surroundings = [("PATH", &self.path), ("HOME", &self.home)];
        command.envs(surroundings.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?))));
        command
    }

    /// A server's program, with exactly the variables it declares besides.
    pub(crate) fn server(&self, program: &Program) -> Command {
        let Program { command, args, env } = program;
        let mut started = self.command(command);
        started.args(args).envs(env.iter().map(|(name, value)| (name, value.0.expose())));
        started
    }
}

/// The servers that run. They are ended when this is dropped.
pub(crate) struct Fleet {
    runtime: Handle,
    surroundings: Surroundings,
    servers: Mutex<Servers>,
}

#[derive(Default)]
struct Servers {
    digest: Option<String>,
    running: BTreeMap<String, Running>,
}

struct Running {
    server: Server,
    report: Arc<Mutex<McpServerReport>>,
    task: Option<JoinHandle<()>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        // The process ends with the task that watches it.
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

impl Fleet {
    /// No servers. Those to come live on the runtime this is called on.
    pub(crate) fn new(surroundings: Surroundings) -> Self {
        Self { runtime: Handle::current(), surroundings, servers: Mutex::default() }
    }

    /// Brings what runs to what a document says: what goes is ended, what is new or changed is started, and what is
    /// the same and still runs is left alone.
    pub(crate) fn apply(&self, deployment: &Deployment) {
        let mut servers = self.servers();
        servers.digest = Some(deployment.digest.clone());
        servers.running.retain(|name, running| {
            deployment.servers().get(name).is_some_and(|wanted| *wanted == running.server) && !running.has_ended()
        });
        for (name, server) in deployment.servers() {
            if !servers.running.contains_key(name) {
                servers.running.insert(name.clone(), self.start(name, server));
            }
        }
    }

    /// Ends every server.
    pub(crate) fn stop(&self) {
        self.servers().running.clear();
    }

    /// What runs.
    pub(crate) fn report(&self) -> McpReport {
        let servers = self.servers();
        let reports = servers.running.values().map(|running| locked(&running.report).clone());
        McpReport { digest: servers.digest.clone(), servers: reports.collect() }
    }

    fn start(&self, name: &str, server: &Server) -> Running {
        let report = Arc::new(Mutex::new(McpServerReport::new(name, matches!(server, Server::Remote(_)))));
        let task = match server {
            Server::Remote(_) => None,
            Server::Stdio(program) => Some(self.supervise(program.clone(), Arc::clone(&report))),
        };
        Running { server: server.clone(), report, task }
    }

    fn supervise(&self, program: Program, report: Arc<Mutex<McpServerReport>>) -> JoinHandle<()> {
        let supervised = Supervised { program, surroundings: self.surroundings.clone(), report };
        self.runtime.spawn(supervised.run())
    }

    fn servers(&self) -> MutexGuard<'_, Servers> {
        locked(&self.servers)
    }
}

impl Running {
    fn has_ended(&self) -> bool {
        self.task.as_ref().is_some_and(JoinHandle::is_finished)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Whoever panicked with the lock held had not begun to change anything.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
