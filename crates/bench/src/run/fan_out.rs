//! Everybody behind at once: how fast they catch up, and what memory that takes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use http::Method;

use super::Bench;
use crate::load::Load;
use crate::numbers::float;
use crate::report::FanOut;
use crate::runtime::Runtimes;
use crate::seed::Seed;
use crate::usage::Memory;
use crate::world::{agent, request};

/// How often progress and memory are looked at.
const LOOK: Duration = Duration::from_millis(50);
/// How long catching up may take.
const PATIENCE: Duration = Duration::from_mins(10);
/// How many pushes the server has under way at once.
const PUSHES: u32 = 256;
/// How long the runtimes alone are driven.
const CEILING: Duration = Duration::from_secs(3);

impl Bench<'_> {
    pub(super) async fn fan_out(&self, runtimes: &Runtimes) -> Result<FanOut> {
        let site = self.site("fan-out").await?;
        let (agents, url) = (self.arguments.behind, runtimes.url());
        Seed { server: site.server.address, key: &site.key, runtime: &url }.plant(agents, 1, self.progress).await?;
        site.server.stop()?;
        site.database.put_all_behind().await?;
        runtimes.forget();

        self.progress.say(&format!("fan-out: {agents} agents are behind"));
        let server = site.installation.start().await?;
        let (begun, at_start) = (Instant::now(), Memory::of(server.id())?.now);
        let (pushes, wanted) = (runtimes.count(), usize::try_from(agents)?);
        while *pushes.borrow() < wanted {
            anyhow::ensure!(begun.elapsed() < PATIENCE, "{} of {agents} caught up", *pushes.borrow());
            tokio::time::sleep(LOOK).await;
        }
        let took = begun.elapsed().as_secs_f64();
        let most = Memory::of(server.id())?.most;
        server.stop()?;

        self.progress.say("fan-out: the runtimes alone");
        let push = runtimes.arrival(agent(0)).context("the first agent was never pushed to")?.body;
        let path = format!("/{}/integrations/sync", agent(0));
        let requests = Arc::new(move |_| request(Method::POST, &path, "", push.clone()));
        let alone = Load::new(runtimes.address(), PUSHES, requests).flat_out(CEILING).await?;
        let ceiling = float(alone.latencies.len()) / alone.elapsed.as_secs_f64();
        Ok(FanOut {
            agents,
            seconds: took,
            per_second: f64::from(agents) / took,
            runtimes_alone: ceiling,
            at_start,
            most,
        })
    }
}
