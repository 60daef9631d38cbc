//! What was measured on.

use std::fs::{self, File};
use std::io::Write as _;
use std::num::NonZero;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, Result};
use serde::Serialize;

use crate::numbers::Spread;

/// How often the disk is asked.
const SYNCS: u32 = 200;

#[derive(Debug, Serialize)]
pub(crate) struct Machine {
    pub(crate) cores: usize,
    pub(crate) processor: String,
    pub(crate) kernel: String,
    /// The load of the last minute before the run began: what else was going on.
    pub(crate) load_before: f64,
    /// How long the disk takes to make 4 KiB durable.
    pub(crate) sync_ms: Spread,
}

impl Machine {
    /// Looks around; `folder` is on the disk that is measured.
    pub(crate) fn look(folder: &Path) -> Result<Self> {
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        let (processors, load) = (read("/proc/cpuinfo"), read("/proc/loadavg"));
        let model = processors.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        Ok(Self {
            cores: std::thread::available_parallelism().map_or(1, NonZero::get),
            processor: model.map_or("unknown", |(_, model)| model).to_owned(),
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            load_before: load.split(' ').next().and_then(|load| load.parse().ok()).unwrap_or_default(),
            sync_ms: syncs(folder)?,
        })
    }
}

fn syncs(folder: &Path) -> Result<Spread> {
    let mut file = File::create(folder.join("sync")).context("the disk cannot be written to")?;
    let mut took = Vec::new();
    for _ in 0..SYNCS {
        let begun = Instant::now();
        file.write_all(&[0; 4096]).and_then(|()| file.sync_data()).context("the disk cannot be written to")?;
        took.push(begun.elapsed().as_secs_f64() * 1_000.0);
    }
    Ok(Spread::of(took))
}
