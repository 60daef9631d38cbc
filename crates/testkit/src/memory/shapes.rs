//! What providers looked like, in memory.

use std::collections::BTreeSet;

use async_trait::async_trait;
use nora_integrations::ports::{ShapeStore, Shapes};
use nora_kernel::{AgentId, ProviderId, Timestamp, Unavailable};

use super::InMemory;

#[async_trait]
impl ShapeStore for InMemory {
    async fn adopt(&self, shapes: &Shapes, now: Timestamp) -> Result<u64, Unavailable> {
        Ok(self.write(|state, _| {
            let before = std::mem::replace(&mut state.shapes, shapes.clone());
            let differs = |id: &ProviderId| before.get(id) != shapes.get(id);
            let touched = state.integrations.values().map(|stored| &stored.integration);
            let agents: BTreeSet<AgentId> = touched.filter(|one| differs(&one.provider)).map(|one| one.agent).collect();
            let raised = agents.into_iter().filter(|agent| state.raise(*agent, now).is_some()).count();
            u64::try_from(raised).unwrap()
        }))
    }
}
