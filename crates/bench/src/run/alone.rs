//! Connecting without what follows it.

use anyhow::{Context as _, Result};

use super::Bench;
use crate::measure::{PathReport, measure};
use crate::product::Running;
use crate::runtime::Runtimes;
use crate::scenario::World;
use crate::seed::Seed;
use crate::world::PROVIDERS;

/// At least so much of the bare transaction's throughput.
const TARGET: f64 = 0.5;

impl Bench<'_> {
    /// Connects agents whose runtimes never answer. After the first few pushes, which hang, all that a request costs is
    /// its own: sealing, the row, the generation and the audit line.
    pub(super) async fn connect_alone(&self, runtimes: &Runtimes) -> Result<PathReport> {
        let site = self.site("alone").await?;
        let (agents, url) = (self.arguments.agents, runtimes.silent_url());
        let seed = Seed { server: site.server.address, key: &site.key, runtime: &url };
        seed.plant(agents, PROVIDERS.len(), self.progress).await?;
        let world = World { server: site.server.address, key: site.key.clone(), agents: u64::from(agents) };
        let controls = Running::controls(site.database.address())?;
        let scenario = world.connect("connect", Some(TARGET));
        let measured = measure(&scenario, &site.server, &controls, &site.database, self.plan(), self.progress).await;
        site.server.stop()?;
        measured.context("connect cannot be measured")
    }
}
