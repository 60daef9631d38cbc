//! Programs that run to their end.

use std::fs::File;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use crate::eventually_within;

/// How a program ended and what it said.
#[derive(Debug, Clone)]
pub struct Ended {
    /// The exit code, if it was not killed.
    pub code: Option<i32>,
    /// The signal that killed it.
    pub signal: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Ended {
    pub(crate) fn new(status: ExitStatus, stdout: String, stderr: String) -> Self {
        Self { code: status.code(), signal: status.signal(), stdout, stderr }
    }

    /// Standard output of a program that succeeded.
    #[track_caller]
    pub fn success(self) -> String {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.stdout
    }

    /// The one line in which a program that failed said why.
    #[track_caller]
    pub fn refusal(&self) -> &str {
        assert!(self.code.is_some_and(|code| code != 0), "{self:?}");
        let mut lines = self.stderr.lines();
        let (line, more) = (lines.next(), lines.next());
        assert!(more.is_none(), "more than one line: {self:?}");
        line.unwrap_or_else(|| panic!("not a word: {self:?}"))
    }
}

/// Runs a program to its end; one that goes on for longer than `patience` is killed, and the scenario fails.
pub async fn run_to_end(mut command: Command, patience: Duration) -> Ended {
    let folder = tempfile::tempdir().unwrap();
    let (out, err) = (folder.path().join("out"), folder.path().join("err"));
    command.stdin(Stdio::null()).stdout(File::create(&out).unwrap()).stderr(File::create(&err).unwrap());
    let mut child = Kept(command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}")));
    let what = format!("the end of {}", command.get_program().display());
    let status = eventually_within(patience, &what, async || child.0.try_wait().unwrap()).await;
    Ended::new(status, text(&out), text(&err))
}

/// A file's content, whatever bytes are in it.
pub(crate) fn text(path: &Path) -> String {
    String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()).into_owned()
}

/// A child that does not outlive the scenario.
struct Kept(Child);

impl Drop for Kept {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
