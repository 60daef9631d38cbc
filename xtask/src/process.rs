//! Running other programs.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, IsTerminal, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};

use anyhow::{Context, Result, bail};

use crate::{environment, interrupts};

/// A cargo command, to run in `folder`.
pub(crate) fn cargo<I: IntoIterator<Item: AsRef<OsStr>>>(folder: &Path, arguments: I) -> Command {
    let mut command = Command::new(environment::cargo());
    command.current_dir(folder).args(arguments);
    for name in environment::set_by_cargo_run() {
        command.env_remove(name);
    }
    command
}

/// Runs `command` and tells whether it succeeded. It ends early, and this fails, if the task is told to stop.
pub(crate) fn run(command: &mut Command) -> Result<bool> {
    let child = interrupts::spawn(detached(command))?;
    Ok(finish(child)?.success())
}

/// Like [`run`], and hands each line of the standard output to `each_line` as well as to the terminal.
pub(crate) fn run_watching_output(command: &mut Command, each_line: impl FnMut(&str)) -> Result<bool> {
    keep_colours(command, std::io::stdout().is_terminal());
    let mut child = interrupts::spawn(detached(command).stdout(Stdio::piped()))?;
    copy_lines(child.stdout.take(), std::io::stdout(), each_line);
    Ok(finish(child)?.success())
}

/// Like [`run`], and hands each line of the standard error to `each_line` as well as to the terminal.
pub(crate) fn run_watching_errors(command: &mut Command, each_line: impl FnMut(&str)) -> Result<bool> {
    keep_colours(command, std::io::stderr().is_terminal());
    let mut child = interrupts::spawn(detached(command).stderr(Stdio::piped()))?;
    copy_lines(child.stderr.take(), std::io::stderr(), each_line);
    Ok(finish(child)?.success())
}

/// Runs `command` to its end and returns its standard output.
pub(crate) fn read(command: &mut Command) -> Result<Vec<u8>> {
    let mut child = interrupts::spawn(detached(command).stdout(Stdio::piped()))?;
    let mut output = Vec::new();
    if let Some(mut stdout) = child.stdout.take() {
        stdout.read_to_end(&mut output).context("cannot read a command's output")?;
    }
    let status = finish(child)?;
    if !status.success() {
        bail!("{} failed ({status})", shown(command));
    }
    Ok(output)
}

/// Runs a short `command` to its end, whatever signals come, and collects what it prints.
pub(crate) fn uninterrupted(command: &mut Command) -> Result<Output> {
    detached(command).output().with_context(|| format!("cannot start {}", command.get_program().display()))
}

/// A terminal's Ctrl-C goes to its whole foreground group: in a group of its own, a command gets it from us, once.
/// Without input, because a background group that reads from the terminal is stopped.
fn detached(command: &mut Command) -> &mut Command {
    command.stdin(Stdio::null()).process_group(0)
}

fn keep_colours(command: &mut Command, wanted: bool) {
    if wanted {
        command.env("CARGO_TERM_COLOR", "always");
    }
}

fn copy_lines(from: Option<impl Read>, mut to: impl Write, mut each_line: impl FnMut(&str)) {
    let Some(from) = from else { return };
    let mut lines = BufReader::new(from);
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
        // A closed terminal is no reason to leave the command blocked on a full pipe.
        to.write_all(&line).and_then(|()| to.flush()).ok();
        each_line(String::from_utf8_lossy(&line).trim_end());
        line.clear();
    }
}

fn finish(mut child: Child) -> Result<ExitStatus> {
    let status = child.wait();
    interrupts::ended();
    interrupts::check()?;
    status.context("cannot wait for a command")
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_is_seen_and_copied() {
        let mut seen = Vec::new();
        let mut copied = Vec::new();
        copy_lines(Some(&b"one\ntwo\r\nthree"[..]), &mut copied, |line| seen.push(line.to_owned()));
        assert_eq!(seen, ["one", "two", "three"]);
        assert_eq!(copied, b"one\ntwo\r\nthree");
    }

    #[test]
    fn a_failing_command_is_named_in_full() {
        let error = read(Command::new("sh").args(["-c", "exit 3"])).unwrap_err();
        assert!(error.to_string().starts_with("sh -c exit 3 failed"), "{error}");
    }
}
