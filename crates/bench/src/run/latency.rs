//! From the answer to a connection until the runtime has it, on a system that does nothing else.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use hdrhistogram::Histogram;
use serde::Deserialize;
use tokio::time::timeout;

use super::Bench;
use crate::load::Connection;
use crate::measure::Latency;
use crate::runtime::Runtimes;
use crate::scenario::World;
use crate::world::{agent, connect};

/// How often it is measured.
const TIMES: u64 = 300;
/// How long the system is left alone in between.
const PAUSE: Duration = Duration::from_millis(10);
/// How long a push may take before the measurement is given up.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Deserialize)]
struct Record {
    id: String,
}

impl Bench<'_> {
    pub(super) async fn sync_latency(&self, world: &World, runtimes: &Runtimes) -> Result<Latency> {
        self.progress.say("sync-latency: one connection after the other");
        let mut latencies = Histogram::<u64>::new(3).context("latencies cannot be kept")?;
        let mut connection = Connection::open(world.server).await?;
        for number in 0..TIMES {
            let owner = number % world.agents;
            let mut pushes = runtimes.count();
            let request = connect(owner, 1, &format!("s{number}"), &world.key);
            let answer = connection.ask(request).await?;
            let answered = Instant::now();
            let record: Record = serde_json::from_slice(&answer).context("a record does not parse")?;
            let arrived = async {
                loop {
                    let arrival = runtimes.arrival(agent(owner));
                    if let Some(found) = arrival.filter(|arrival| holds(&arrival.body, &record.id)) {
                        return anyhow::Ok(found.at);
                    }
                    pushes.changed().await.context("the runtimes ended")?;
                }
            };
            let at = timeout(PATIENCE, arrived).await.context("a connection was never pushed")??;
            let late = at.saturating_duration_since(answered);
            let late = u64::try_from(late.as_nanos()).unwrap_or(u64::MAX);
            latencies.record(late).context("a latency cannot be kept")?;
            tokio::time::sleep(PAUSE).await;
        }
        Ok(Latency::of(&latencies, 0))
    }
}

fn holds(body: &[u8], text: &str) -> bool {
    body.windows(text.len()).any(|window| window == text.as_bytes())
}
