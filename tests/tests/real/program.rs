//! A runtime as a process.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use e2e::eventually_within;

/// A gateway takes half a minute to start, and longer where others work too.
pub(crate) const LONGEST: Duration = Duration::from_mins(6);

/// A program that is killed when this is dropped.
pub(crate) struct Program {
    child: Child,
    log: PathBuf,
}

impl Program {
    /// Starts `command`, whose output goes to a file.
    pub(crate) fn start(mut command: Command, log: &Path) -> Self {
        command
            .stdin(Stdio::null())
            .stdout(File::create(log).unwrap())
            .stderr(File::options().append(true).open(log).unwrap());
        Self { child: command.spawn().unwrap(), log: log.to_owned() }
    }

    /// Waits until it answers `GET` at `url` with anything but a fault of its own.
    pub(crate) async fn wait_for(&mut self, url: &str) {
        let api = e2e::Api::new(url, "");
        let what = format!("{url} ready");
        eventually_within(LONGEST, &what, async || {
            assert!(self.child.try_wait().unwrap().is_none(), "it ended: {}", self.log());
            tokio::time::sleep(Duration::from_millis(500)).await;
            let answer = api.send(reqwest::Method::GET, "", &[], None).await;
            answer.is_ok_and(|answer| answer.status < 500).then_some(())
        })
        .await;
    }

    /// Its process, which runs still.
    pub(crate) fn pid(&mut self) -> u32 {
        assert!(self.child.try_wait().unwrap().is_none(), "it ended: {}", self.log());
        self.child.id()
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            show(&self.log());
        }
    }
}

#[expect(clippy::print_stderr, reason = "whoever reads a failed proof wants the end of the runtime's log")]
fn show(log: &str) {
    let lines: Vec<&str> = log.lines().collect();
    eprintln!("the end of the runtime's log:\n{}", lines[lines.len().saturating_sub(20)..].join("\n"));
}
