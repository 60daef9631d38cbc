//! What processes cost, as the kernel counts it.

use anyhow::{Context as _, Result};
use procfs::process::Process;

use crate::numbers::float;

/// CPU seconds since a process began.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cpu(f64);

impl Cpu {
    /// Of one process.
    pub(crate) fn of(process: u32) -> Result<Self> {
        let stat = find(process)?.stat().context("a process cannot be looked at")?;
        Ok(Self(seconds(stat.utime + stat.stime)))
    }

    /// Of a process, of its children, and of those that have ended.
    pub(crate) fn of_family(parent: u32) -> Result<Self> {
        let id = i32::try_from(parent).context("no process has such an id")?;
        let all = procfs::process::all_processes().context("processes cannot be listed")?;
        let family =
            all.flatten().filter_map(|process| process.stat().ok()).filter(|stat| stat.pid == id || stat.ppid == id);
        let ended = |stat: &procfs::process::Stat| if stat.pid == id { (stat.cutime + stat.cstime).max(0) } else { 0 };
        let ticks = family.map(|stat| stat.utime + stat.stime + u64::try_from(ended(&stat)).unwrap_or_default()).sum();
        Ok(Self(seconds(ticks)))
    }

    pub(crate) fn since(self, earlier: Self) -> f64 {
        self.0 - earlier.0
    }
}

fn seconds(ticks: u64) -> f64 {
    float(ticks) / float(procfs::ticks_per_second())
}

/// Resident memory in bytes: now, and the most there ever was.
#[derive(Debug, Clone, Copy, serde::Serialize)]
pub(crate) struct Memory {
    pub(crate) now: u64,
    pub(crate) most: u64,
}

impl Memory {
    pub(crate) fn of(process: u32) -> Result<Self> {
        let status = find(process)?.status().context("a process cannot be looked at")?;
        let bytes = |kib: Option<u64>| kib.unwrap_or_default() * 1024;
        Ok(Self { now: bytes(status.vmrss), most: bytes(status.vmhwm) })
    }
}

/// The process that started another.
pub(crate) fn parent(process: i32) -> Result<u32> {
    let stat = Process::new(process).and_then(|process| process.stat()).context("a process cannot be looked at")?;
    u32::try_from(stat.ppid).context("a process has no parent")
}

fn find(process: u32) -> Result<Process> {
    Process::new(i32::try_from(process)?).context("a process has ended")
}
