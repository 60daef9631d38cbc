//! What a runtime must say. Members we do not know are ignored.

use nora_integrations::ports::{Health, Push};
use serde::Deserialize;

#[derive(Deserialize)]
struct Confirmation {
    synced: bool,
    count: u64,
    generation: u64,
}

#[derive(Deserialize)]
struct Deployed {
    applied: bool,
    digest: String,
}

#[derive(Deserialize)]
struct Superseded {
    generation: u64,
}

#[derive(Deserialize)]
struct Report {
    status: String,
    agent_id: Option<String>,
    generation: Option<u64>,
}

/// Whether the runtime holds exactly what was pushed.
pub(super) fn confirms(json: &[u8], push: &Push) -> bool {
    serde_json::from_slice(json).is_ok_and(|Confirmation { synced, count, generation }| {
        let all = usize::try_from(count).is_ok_and(|count| count == push.integrations.len());
        synced && all && generation == push.generation
    })
}

/// Whether the runtime applied exactly the deployment with this digest.
pub(super) fn applies(json: &[u8], sent: &str) -> bool {
    serde_json::from_slice(json).is_ok_and(|Deployed { applied, digest }| applied && digest == sent)
}

/// The generation a runtime holds instead.
pub(super) fn current(json: &[u8]) -> Option<u64> {
    serde_json::from_slice(json).ok().map(|Superseded { generation }| generation)
}

/// What a runtime says it holds; a fresh one holds nothing.
pub(super) fn health(json: &[u8]) -> Option<Health> {
    let Report { status, agent_id, generation } = serde_json::from_slice(json).ok()?;
    if status != "ok" {
        return None;
    }
    let agent = agent_id.map(|id| id.parse()).transpose().ok()?;
    Some(Health { agent, generation })
}
