//! The document of a push.

use nora_integrations::ports::Push;
use nora_kernel::{EnvName, Secret};
use serde::ser::{Serialize, SerializeMap as _, Serializer};
use zeroize::Zeroizing;

use crate::entry::{Entry, entry};
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
