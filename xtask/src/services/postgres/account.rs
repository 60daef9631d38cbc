//! Who the server runs as: it refuses to run as root.

use std::os::unix::process::CommandExt;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process;

/// In order of preference: the package's own account, and one that exists everywhere.
const CANDIDATES: [&str; 2] = ["postgres", "nobody"];

#[derive(Debug, Clone, Copy)]
pub(super) enum Account {
    /// Ours will do.
    Own,
    /// We are root and hand over to this one.
    Other { user: u32, group: u32 },
}

impl Account {
    pub(super) fn choose() -> Result<Self> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Self::Own);
        }
        for name in CANDIDATES {
            if let (Some(user), Some(group)) = (id("-u", name)?, id("-g", name)?) {
                return Ok(Self::Other { user, group });
            }
        }
        bail!("PostgreSQL does not run as root, and this machine has none of the accounts {CANDIDATES:?}")
    }

    pub(super) fn apply(self, command: &mut Command) {
        if let Self::Other { user, group } = self {
            command.uid(user).gid(group);
        }
    }
}

fn id(which: &str, name: &str) -> Result<Option<u32>> {
    let output = process::uninterrupted(Command::new("id").args([which, name]))?;
    if !output.status.success() {
        return Ok(None);
    }
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim().parse().map(Some).with_context(|| format!("`id {which} {name}` printed no number"))
}
