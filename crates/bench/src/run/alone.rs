//! Connecting without what follows it.

use anyhow::{Context as _, Result};

use super::Bench;
use crate::measure::{PathReport, measure};
use crate::product::Running;
use crate::runtime::Runtimes;

/// At least so much of the bare transaction's throughput.
const TARGET: f64 = 0.5;

impl Bench<'_> {
    /// Connects agents whose runtimes never answer. After the first few pushes, which hang, all that a request costs is
    /// its own: sealing, the row, the generation and the audit line.
    pub(super) async fn connect_alone(&self, runtimes: &Runtimes) -> Result<PathReport> {
        let site = self.site("alone").await?;
        let world = self.plant(&site, &runtimes.silent_url()).await?;
        let controls = Running::controls(site.database.address())?;
        let scenario = world.connect("connect", Some(TARGET));
        let measured = measure(&scenario, &site.server, &controls, &site.database, self.plan(), self.progress).await;
        site.server.stop()?;
        measured.context("connect cannot be measured")
    }
}
