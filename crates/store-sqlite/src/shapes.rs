//! What providers looked like.

use std::collections::BTreeMap;

use async_trait::async_trait;
use diesel::prelude::*;
use nora_integrations::ports::{ShapeStore, Shapes};
use nora_kernel::{Timestamp, Unavailable};

use crate::SqliteStore;
use crate::schema::{integrations, meta, sync_targets};
use crate::targets::Live;
use crate::value::Time;

/// A JSON object: digests by provider.
const SHAPES: &str = "provider_shapes";

type Digests = BTreeMap<String, String>;

fn known(connection: &mut SqliteConnection) -> QueryResult<Digests> {
    let value: Option<Vec<u8>> = meta::table.find(SHAPES).select(meta::value).get_result(connection).optional()?;
    // What does not parse is as good as nothing: every agent is pushed to once more.
    Ok(value.and_then(|value| serde_json::from_slice(&value).ok()).unwrap_or_default())
}

fn changed(before: &Digests, after: &Digests) -> Vec<String> {
    let differs = |id: &&String| before.get(*id) != after.get(*id);
    before.keys().chain(after.keys()).filter(differs).cloned().collect()
}

#[async_trait]
impl ShapeStore for SqliteStore {
    async fn adopt(&self, shapes: &Shapes, now: Timestamp) -> Result<u64, Unavailable> {
        let shapes: Digests = shapes.iter().map(|(id, shape)| (id.to_string(), shape.clone())).collect();
        let text = serde_json::to_vec(&shapes).map_err(Unavailable::fault)?;
        self.write(move |transaction| {
            let changed = changed(&known(transaction.connection)?, &shapes);
            if changed.is_empty() {
                return Ok(0);
            }
            let row = (meta::key.eq(SHAPES), meta::value.eq(text));
            diesel::replace_into(meta::table).values(row).execute(transaction.connection)?;
            let agents = integrations::table.filter(integrations::provider.eq_any(changed));
            let agents = agents.select(integrations::agent_id);
            let live = sync_targets::table.filter(sync_targets::role.eq(Live));
            let raised = diesel::update(live.filter(sync_targets::agent_id.eq_any(agents)))
                .set((sync_targets::desired.eq(sync_targets::desired + 1), sync_targets::next_attempt_at.eq(Time(now))))
                .execute(transaction.connection)?;
            transaction.tell_due();
            Ok(u64::try_from(raised).unwrap_or(u64::MAX))
        })
        .await
    }
}
