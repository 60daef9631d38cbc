//! How long a server takes from its start until it is ready.

use anyhow::Result;

use super::{Bench, Site};
use crate::numbers::Spread;
use crate::report::StoreReport;

/// How often it is started.
const STARTS: u32 = 10;

impl Bench<'_> {
    pub(super) async fn starts(&self, site: Site, report: &mut StoreReport) -> Result<Site> {
        self.progress.say("starting it again and again");
        let Site { installation, database, mut server, key } = site;
        let mut took = Vec::new();
        for _ in 0..STARTS {
            server.stop()?;
            server = installation.start().await?;
            took.push(server.start.as_secs_f64() * 1_000.0);
        }
        report.start_ms = Some(Spread::of(took));
        Ok(Site { installation, database, server, key })
    }
}
