//! Taking away what a turn left: an agent's pushes cost more with each integration it has, so that the next turn would
//! measure something else.

use std::time::Duration;

use anyhow::{Context as _, Result};
use http::Method;
use serde::Deserialize;
use tokio::task::JoinSet;

use super::{CONNECTIONS, World};
use crate::load::Connection;
use crate::world::{agent, get, integrations, request};

/// The label of what agents are connected to when the world is made.
pub(crate) const SEEDED: &str = "default";
/// How long the pushes that follow may take.
const SETTLING: Duration = Duration::from_millis(500);

/// Removes what was connected since the world was made.
pub(crate) struct Tidy {
    pub(crate) world: World,
}

#[derive(Deserialize)]
struct Record {
    id: String,
    label: String,
}

impl Tidy {
    pub(crate) async fn run(&self) -> Result<()> {
        let mut running = JoinSet::new();
        for first in 0..u64::from(CONNECTIONS) {
            running.spawn(remove(self.world.clone(), first));
        }
        while let Some(ended) = running.join_next().await {
            ended.context("a removing task ended")?.context("what was connected cannot be removed")?;
        }
        tokio::time::sleep(SETTLING).await;
        Ok(())
    }
}

/// Of every so many agents, from one on.
async fn remove(world: World, first: u64) -> Result<()> {
    let mut connection = Connection::open(world.server).await?;
    for number in (first..world.agents).step_by(usize::try_from(CONNECTIONS)?) {
        let path = integrations(agent(number));
        let answer = connection.ask(get(&path, &world.key)).await?;
        let records: Vec<Record> = serde_json::from_slice(&answer).context("a list does not parse")?;
        for record in records.iter().filter(|record| record.label != SEEDED) {
            let path = format!("{path}/{}", record.id);
            connection.ask(request(Method::DELETE, &path, &world.key, bytes::Bytes::new())).await?;
        }
    }
    Ok(())
}
