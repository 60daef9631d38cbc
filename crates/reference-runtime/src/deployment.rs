//! Deployment documents: which MCP servers the agent's next start has.

use nora_kernel::{AgentId, Secret};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::digest;

#[derive(Deserialize)]
struct Wire {
    agent_id: String,
    digest: String,
    #[serde(rename = "mcpServers")]
    mcp_servers: Map<String, Value>,
}

/// What the digest of a deployment covers.
#[derive(Serialize)]
struct Covered<'a> {
    #[serde(rename = "mcpServers")]
    mcp_servers: &'a Map<String, Value>,
}

/// A deployment document whose digest matched.
#[derive(Debug)]
pub struct Deployment {
    /// The agent.
    pub agent: AgentId,
    /// The digest.
    pub digest: String,
    /// The names of the servers.
    pub servers: Vec<String>,
    /// The JSON of `mcpServers`, credentials and all.
    pub document: Secret,
}

impl Deployment {
    pub(crate) fn parse(json: &[u8]) -> Option<Self> {
        let Wire { agent_id, digest, mcp_servers } = serde_json::from_slice(json).ok()?;
        if digest::of_json(&Covered { mcp_servers: &mcp_servers }).as_ref() != Some(&digest) {
            return None;
        }
        let servers = mcp_servers.keys().cloned().collect();
        let document = Secret::new(serde_json::to_string(&mcp_servers).ok()?);
        Some(Self { agent: agent_id.parse().ok()?, digest, servers, document })
    }

    pub(crate) fn duplicate(&self) -> Self {
        Self {
            agent: self.agent,
            digest: self.digest.clone(),
            servers: self.servers.clone(),
            document: self.document.duplicate(),
        }
    }
}
