//! What providers looked like.

use std::collections::BTreeMap;

use async_trait::async_trait;
use nora_integrations::ports::{ShapeStore, Shapes};
use nora_kernel::{Timestamp, Unavailable};

use crate::rows::Number;
use crate::signals::Topic;
use crate::statement::Statement;
use crate::store::PostgresStore;

/// `$1` is a JSON object: digests by provider. Two servers that start at once take turns at the row.
const ADOPT: &str = "\
    WITH given AS (SELECT key, value FROM jsonb_each_text($1::jsonb)), \
    known AS (SELECT shape.key, shape.value FROM meta, jsonb_each_text(convert_from(meta.value, 'UTF8')::jsonb) shape \
    WHERE meta.key = 'provider_shapes'), \
    changed AS (SELECT coalesce(given.key, known.key) AS provider FROM given FULL JOIN known ON known.key = given.key \
    WHERE given.value IS DISTINCT FROM known.value), \
    kept AS (INSERT INTO meta (key, value) VALUES ('provider_shapes', convert_to($1, 'UTF8')) \
    ON CONFLICT (key) DO UPDATE SET value = excluded.value), \
    raised AS (UPDATE sync_targets SET desired = desired + 1, next_attempt_at = $2 \
    WHERE role = 'live' AND agent_id IN (SELECT agent_id FROM integrations \
    WHERE provider IN (SELECT provider FROM changed)) RETURNING id) \
    SELECT count(*) AS value FROM raised";

#[async_trait]
impl ShapeStore for PostgresStore {
    async fn adopt(&self, shapes: &Shapes, now: Timestamp) -> Result<u64, Unavailable> {
        let shapes: BTreeMap<&str, &String> = shapes.iter().map(|(id, shape)| (id.as_str(), shape)).collect();
        let text = serde_json::to_string(&shapes).map_err(Unavailable::fault)?;
        let adopt = Statement::new(ADOPT).text(text).number(now.as_microseconds());
        let raised = self.write::<Number>(adopt).await?;
        self.signals.announce(Topic::Sync);
        Ok(raised.first().map_or(0, |row| u64::try_from(row.value).unwrap_or_default()))
    }
}
