//! A program that says its URL in one line and serves for as long as its standard input is open.
//!
//! A task that is killed closes the input with its other files, so no server outlives it.

use std::io::{BufRead, BufReader, Read, Seek};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::interrupts;

/// A server that ends when this is dropped.
pub(super) struct Server(Child);

impl Server {
    /// Starts `command` and waits for its URL.
    pub(super) fn start(command: &mut Command) -> Result<(Self, String)> {
        let mut log = tempfile::tempfile().context("cannot make a file for the server's log")?;
        let written = log.try_clone().context("cannot make a file for the server's log")?;
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(written).process_group(0);
        // Until it serves, an interrupt ends it as it would end any command.
        let mut server = Self(interrupts::spawn(command)?);
        let url = server.first_line();
        interrupts::ended();
        interrupts::check()?;
        let url = url?;
        if url.is_empty() {
            let mut words = String::new();
            log.rewind().and_then(|()| log.read_to_string(&mut words)).context("cannot read the server's log")?;
            bail!("it ended before it served: {}", words.trim());
        }
        Ok((server, url))
    }

    /// Empty if there is none.
    fn first_line(&mut self) -> Result<String> {
        let mut line = String::new();
        if let Some(stdout) = self.0.stdout.take() {
            BufReader::new(stdout).read_line(&mut line).context("cannot read the server's URL")?;
        }
        Ok(line.trim().to_owned())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It keeps nothing outside its memory, so there is nothing it could leave half done.
        if let Err(error) = self.0.kill().and_then(|()| self.0.wait()) {
            eprintln!("the server was not stopped: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Result<(Server, String)> {
        Server::start(Command::new("sh").args(["-c", script]))
    }

    #[test]
    fn its_first_line_is_its_url() {
        let (mut server, url) = shell("echo http://127.0.0.1:1/; cat").unwrap();
        assert_eq!(url, "http://127.0.0.1:1/");
        assert!(server.0.try_wait().unwrap().is_none(), "it serves");
    }

    #[test]
    fn it_ends_with_its_input() {
        let (mut server, _) = shell("echo url; cat").unwrap();
        drop(server.0.stdin.take());
        assert!(server.0.wait().unwrap().success());
    }

    #[test]
    fn a_server_that_does_not_start_says_why() {
        let error = shell("echo no port is free >&2; exit 1").map(drop).unwrap_err();
        assert_eq!(error.to_string(), "it ended before it served: no port is free");
    }
}
