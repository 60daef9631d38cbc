//! A throw-away Redis.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::script::Script;
use super::{apt, python};
use crate::environment;

/// Asked by Debian's packages whether they may start a daemon of their own.
const POLICY: &str = "/usr/sbin/policy-rc.d";
const START_NOTHING: &str = "#!/bin/sh\nexit 101\n";

/// Finds `redis-server`, installing it if need be.
pub(super) fn prepare(scratch: &Path) -> Result<Script> {
    let python = python::with(scratch, "redis", &[])?;
    let server = found_or_installed()?;
    Ok(Script::new("Redis", "NORA_TEST_REDIS_URL", &python, "redis/serve.py").argument(&server))
}

fn found_or_installed() -> Result<PathBuf> {
    let search_path = environment::search_path();
    if let Some(program) = find(&search_path) {
        return Ok(program);
    }
    apt::require(&search_path, "redis-server is not on PATH", "redis-server")?;
    println!("Redis is missing: installing it");
    let policy = Path::new(POLICY);
    // A machine that has a policy keeps it.
    let _setting = if policy.exists() { None } else { Some(start_nothing(policy)?) };
    apt::install("redis-server")?;
    find(&search_path).context("Redis was installed, but redis-server is not found")
}

fn start_nothing(policy: &Path) -> Result<apt::TemporaryFile<'_>> {
    let setting = apt::TemporaryFile::write(policy, START_NOTHING)?;
    std::fs::set_permissions(policy, Permissions::from_mode(0o755))
        .with_context(|| format!("cannot make {} executable", policy.display()))?;
    Ok(setting)
}

fn find(search_path: &[PathBuf]) -> Option<PathBuf> {
    environment::program(search_path, "redis-server")
}
