//! What came of a run: as tables, as JSON and as a chart.

mod chart;
mod machine;
mod table;

use std::fs;

use anyhow::{Context as _, Result};
use serde::Serialize;

use crate::cli::{RunArguments, Store};
use crate::measure::{Latency, PathReport};
use crate::numbers::Spread;

pub(crate) use machine::Machine;

/// Everything that was measured.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) machine: Machine,
    pub(crate) stores: Vec<StoreReport>,
}

/// What was measured on one store.
#[derive(Debug, Serialize)]
pub(crate) struct StoreReport {
    pub(crate) store: &'static str,
    pub(crate) paths: Vec<PathReport>,
    /// From the start of the process until it says that it is ready.
    pub(crate) start_ms: Option<Spread>,
    /// From the answer to a connection until the runtime has it.
    pub(crate) sync: Option<Latency>,
    pub(crate) fan_out: Option<FanOut>,
    /// Bytes resident before anything was asked.
    pub(crate) at_rest: u64,
    /// The most there ever were, over all paths.
    pub(crate) under_load: u64,
}

/// Agents that were behind all at once.
#[derive(Debug, Serialize)]
pub(crate) struct FanOut {
    pub(crate) agents: u32,
    pub(crate) seconds: f64,
    pub(crate) per_second: f64,
    /// How many pushes a second the runtimes answer when nothing else is done.
    pub(crate) runtimes_alone: f64,
    /// Bytes resident when the server was ready, and the most until everybody had caught up.
    pub(crate) at_start: u64,
    pub(crate) most: u64,
}

impl StoreReport {
    pub(crate) const fn of(store: Store) -> Self {
        let store = store.as_str();
        Self { store, paths: Vec::new(), start_ms: None, sync: None, fan_out: None, at_rest: 0, under_load: 0 }
    }
}

impl Report {
    pub(crate) fn print(&self) {
        print!("{}", table::text(self));
        for (store, path) in self.unsound() {
            println!(
                "self-test failed: on {store} the {} did less than {} and was slower (ratio {:.2}): either the control is \
                 made badly or the machine was too busy, and this run measures nothing",
                path.control, path.name, path.ratio.median
            );
        }
    }

    /// Whether every control that does less is faster.
    pub(crate) fn is_sound(&self) -> bool {
        self.unsound().next().is_none()
    }

    fn unsound(&self) -> impl Iterator<Item = (&'static str, &PathReport)> {
        let paths = self.stores.iter().flat_map(|store| store.paths.iter().map(|path| (store.store, path)));
        paths.filter(|(_, path)| !path.is_sound())
    }

    pub(crate) fn write(&self, arguments: &RunArguments) -> Result<()> {
        if let Some(file) = &arguments.json {
            let json = serde_json::to_string_pretty(self).context("the report is not JSON")?;
            fs::write(file, json + "\n").with_context(|| format!("cannot write {}", file.display()))?;
        }
        if let Some(file) = arguments.chart.as_ref().filter(|_| self.stores.iter().any(|store| !store.paths.is_empty()))
        {
            let chart = chart::draw(&self.stores)?;
            fs::write(file, chart).with_context(|| format!("cannot write {}", file.display()))?;
        }
        Ok(())
    }
}
