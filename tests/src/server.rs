//! The server as a process.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::command::text;
use crate::{Api, Ended, PATIENCE, eventually_within};

/// A drain takes 10 seconds at most; the rest is for a slow machine.
const LONGEST_DRAIN: Duration = Duration::from_secs(20);

/// What became of a start.
#[derive(Debug)]
pub enum Started {
    /// It is ready.
    Ready(Server),
    /// It ended instead.
    Ended(Ended),
}

/// A server. Dropping it kills it.
#[derive(Debug)]
pub struct Server {
    child: Child,
    url: String,
    out: PathBuf,
    err: PathBuf,
    /// How much was printed and logged when this server began.
    printed: usize,
    logged: usize,
}

impl Server {
    /// Starts `command` and waits until it is ready at `url`, or until it ends.
    pub(crate) async fn start(mut command: Command, url: String, logs: &Path) -> Started {
        let (out, err) = (logs.join("out"), logs.join("err"));
        let (printed, logged) = (text(&out).len(), text(&err).len());
        let file = |path| OpenOptions::new().create(true).append(true).open(path).unwrap();
        command.stdin(Stdio::null()).stdout(file(&out)).stderr(file(&err));
        let child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let mut server = Self { child, url, out, err, printed, logged };
        let api = Api::new(&server.url, "");
        let ended = eventually_within(PATIENCE, "a start", async || {
            if let Some(ended) = server.ended() {
                return Some(Some(ended));
            }
            is_ready(&api).await.then_some(None)
        })
        .await;
        ended.map_or(Started::Ready(server), Started::Ended)
    }

    /// Where it listens.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        text(&self.err).split_off(self.logged)
    }

    /// What it has printed.
    pub fn output(&self) -> String {
        text(&self.out).split_off(self.printed)
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<Ended> {
        let status = self.child.try_wait().unwrap()?;
        Some(Ended::new(status, self.output(), self.log()))
    }

    /// Waits for its end, a while longer than a drain may take.
    pub async fn wait(&mut self) -> Ended {
        eventually_within(LONGEST_DRAIN, "the end of a server", async || self.ended()).await
    }

    /// Kills it as a power failure would.
    pub async fn kill(mut self) {
        self.child.kill().unwrap();
        self.wait().await;
    }

    /// Asks it to end, as a service manager does.
    pub fn ask_to_end(&self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
    }

    /// Asks it to end and waits for it.
    pub async fn stop(mut self) -> Ended {
        self.ask_to_end();
        self.wait().await
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            show(&self.log());
        }
    }
}

#[expect(clippy::print_stderr, reason = "whoever reads a failed scenario wants the end of the server's log")]
fn show(log: &str) {
    let lines: Vec<&str> = log.lines().collect();
    let last = lines.get(lines.len().saturating_sub(40)..).unwrap_or_default();
    eprintln!("the end of the server's log:\n{}", last.join("\n"));
}

async fn is_ready(api: &Api) -> bool {
    api.send(reqwest::Method::GET, "/health/ready", &[], None).await.is_ok_and(|answer| answer.status == 200)
}
