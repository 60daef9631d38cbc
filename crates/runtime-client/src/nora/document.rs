//! The document of a push.

use nora_integrations::ports::{Push, PushedIntegration};
use nora_kernel::{EnvName, Secret};
use serde::ser::{Serialize, SerializeMap as _, Serializer};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::shown::{redacted, shown};
use crate::json;

#[derive(serde::Serialize)]
struct Document<'a> {
    agent_id: String,
    generation: u64,
    digest: String,
    #[serde(flatten)]
    covered: &'a Covered<'a>,
}

/// What the digest covers.
#[derive(serde::Serialize)]
struct Covered<'a> {
    integrations: Vec<Entry<'a>>,
    env: Environment<'a>,
}

#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    id: String,
    provider: &'a str,
    name: String,
    category: String,
    auth_type: &'static str,
    label: &'a str,
    status: &'static str,
    config: &'a Map<String, Value>,
    redacted_config: Map<String, Value>,
    capabilities: &'a [String],
    tool_specs: [(); 0],
    api: (),
    mcp: (),
    usage_hints: [(); 0],
}

/// The one place where secrets are written out, into memory that is overwritten.
struct Environment<'a>(&'a [(EnvName, Secret)]);

impl Serialize for Environment<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in self.0 {
            map.serialize_entry(name.as_str(), value.expose())?;
        }
        map.end()
    }
}

/// The JSON of a push. `None` only if it cannot be written as JSON.
pub(super) fn encode(push: &Push) -> Option<Zeroizing<Vec<u8>>> {
    let integrations = push.integrations.iter().map(entry).collect();
    let covered = Covered { integrations, env: Environment(&push.env) };
    let document = Document {
        agent_id: push.agent.to_string(),
        generation: push.generation,
        digest: json::digest(&covered)?,
        covered: &covered,
    };
    json::encode(&document)
}

fn entry(integration: &PushedIntegration) -> Entry<'_> {
    Entry {
        id: integration.id.to_string(),
        provider: integration.provider.as_str(),
        name: shown(&integration.name),
        category: shown(&integration.category),
        auth_type: integration.auth_type,
        label: integration.label.as_str(),
        status: "active",
        config: &integration.config,
        redacted_config: redacted(&integration.config, &integration.secret_fields),
        capabilities: &integration.capabilities,
        tool_specs: [],
        api: (),
        mcp: (),
        usage_hints: [],
    }
}
