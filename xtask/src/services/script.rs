//! Services that are a Python script.
//!
//! Such a script prints one line, what tests find it by, and serves until its standard input ends. So it ends with the
//! process that started it, however that ends, and removes what it left itself.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};

use super::{Service, Variable};

pub(super) struct Script {
    name: &'static str,
    variable: &'static str,
    command: Command,
    running: Option<Child>,
}

impl Script {
    /// `script` is a path in the folder of this file. `variable` is set to the line it prints.
    pub(super) fn new(name: &'static str, variable: &'static str, python: &Path, script: &str) -> Self {
        let folder: PathBuf = [env!("CARGO_MANIFEST_DIR"), "src", "services"].iter().collect();
        let mut command = Command::new(python);
        // A group of its own, as Ctrl-C is not for it: the end of its input is.
        command.arg(folder.join(script)).stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0);
        Self { name, variable, command, running: None }
    }

    pub(super) fn argument(mut self, argument: &Path) -> Self {
        self.command.arg(argument);
        self
    }
}

impl Service for Script {
    fn name(&self) -> &'static str {
        self.name
    }

    fn start(&mut self) -> Result<Vec<Variable>> {
        let child = self.command.spawn().context("its script does not start")?;
        let child = self.running.insert(child);
        let mut line = String::new();
        if let Some(output) = child.stdout.take() {
            BufReader::new(output).read_line(&mut line).context("cannot read what its script prints")?;
        }
        if !line.ends_with('\n') {
            bail!("its script ended without a word to the tests; what it said is above");
        }
        Ok(vec![(self.variable, line.trim_end().to_owned())])
    }

    fn stop(&mut self) {
        let Some(mut child) = self.running.take() else { return };
        drop(child.stdin.take());
        if let Err(error) = child.wait() {
            eprintln!("{} was not stopped: {error}", self.name);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn script(content: &str) -> (tempfile::TempDir, Script) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("serve");
        fs::write(&path, content).unwrap();
        let script = Script::new("Echo", "NORA_TEST_ECHO_URL", Path::new("sh"), path.to_str().unwrap());
        (folder, script)
    }

    #[test]
    fn it_is_found_by_its_line_and_ends_with_its_input() {
        let (folder, mut script) = script("echo echo://here; cat; touch \"$1\"");
        let ended = folder.path().join("ended");
        script = script.argument(&ended);
        assert_eq!(script.start().unwrap(), [("NORA_TEST_ECHO_URL", "echo://here".to_owned())]);
        assert!(!ended.exists());
        script.stop();
        assert!(ended.exists());
    }

    #[test]
    fn one_that_ends_at_once_is_a_failure() {
        let (_folder, mut script) = script("printf half-a-line");
        let error = script.start().unwrap_err().to_string();
        script.stop();
        assert!(error.contains("ended without a word"), "{error}");
    }
}
