//! Ctrl-C and its kin: the running command is told to end, and the task then ends in its own order.
//!
//! Nothing exits from here. The command's end brings control back to the task, which returns [`Interrupted`], and
//! the services stop as it unwinds.

use std::process::{Child, Command};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process_group};

static STATE: Mutex<State> = Mutex::new(State { signals: 0, group: None });

struct State {
    signals: u32,
    /// The process group of the command that runs now.
    group: Option<Pid>,
}

/// The task was told to stop.
#[derive(Debug, thiserror::Error)]
#[error("interrupted")]
pub(crate) struct Interrupted;

/// Takes SIGINT, SIGTERM and SIGHUP over from the default, which is to die at once.
pub(crate) fn watch() -> Result<()> {
    ctrlc::set_handler(on_signal).context("cannot watch for signals")
}

/// Fails if the task was told to stop.
pub(crate) fn check() -> Result<(), Interrupted> {
    if state().signals > 0 { Err(Interrupted) } else { Ok(()) }
}

/// Starts `command`, which must lead a process group of its own, as the one that signals are passed to.
pub(crate) fn spawn(command: &mut Command) -> Result<Child> {
    // Held over the start, so that no signal falls between it and the entry.
    let mut state = state();
    if state.signals > 0 {
        return Err(Interrupted.into());
    }
    let child = command.spawn().with_context(|| format!("cannot start {}", command.get_program().display()))?;
    state.group = Some(Pid::from_child(&child));
    Ok(child)
}

/// Forgets the command that [`spawn`] started.
pub(crate) fn ended() {
    state().group = None;
}

fn on_signal() {
    let mut state = state();
    state.signals += 1;
    let Some(group) = state.group else { return };
    let signal = if state.signals == 1 { Signal::TERM } else { Signal::KILL };
    if let Err(error) = kill_process_group(group, signal) {
        eprintln!("cannot pass the signal on: {error}");
    }
}

fn state() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}
