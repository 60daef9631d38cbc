//! Deployment documents: which MCP servers the agent has.

use std::collections::BTreeMap;

use nora_kernel::AgentId;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::digest;
use crate::text::SecretText;

/// A deployment on the wire, and in the state file.
#[derive(Deserialize, Serialize)]
struct Wire {
    agent_id: String,
    digest: String,
    #[serde(rename = "mcpServers")]
    mcp_servers: BTreeMap<String, Server>,
}

/// What the digest of a deployment covers.
#[derive(Serialize)]
struct Covered<'a> {
    #[serde(rename = "mcpServers")]
    mcp_servers: &'a BTreeMap<String, Server>,
}

/// A server, as the document has it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(untagged)]
pub(crate) enum Server {
    /// A child process.
    Stdio(Program),
    /// A server on the network, which nothing is started for.
    Remote(Address),
}

/// What is started, and with which environment.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Program {
    pub(crate) command: String,
    pub(crate) args: Vec<String>,
    pub(crate) env: BTreeMap<String, SecretText>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Address {
    url: SecretText,
    headers: BTreeMap<String, SecretText>,
}

/// A deployment document whose digest matched.
#[derive(Debug, Clone)]
pub struct Deployment {
    /// The agent.
    pub agent: AgentId,
    /// The digest.
    pub digest: String,
    servers: BTreeMap<String, Server>,
}

impl Deployment {
    pub(crate) fn parse(json: &[u8]) -> Option<Self> {
        let Wire { agent_id, digest, mcp_servers } = serde_json::from_slice(json).ok()?;
        if digest::of_json(&Covered { mcp_servers: &mcp_servers }).as_ref() != Some(&digest) {
            return None;
        }
        if !mcp_servers.values().all(Server::can_start) {
            return None;
        }
        Some(Self { agent: agent_id.parse().ok()?, digest, servers: mcp_servers })
    }

    /// The deployment as JSON that [`parse`](Self::parse) takes.
    pub(crate) fn to_json(&self) -> Option<Zeroizing<Vec<u8>>> {
        let Self { agent, digest, servers } = self.clone();
        let wire = Wire { agent_id: agent.to_string(), digest, mcp_servers: servers };
        serde_json::to_vec(&wire).ok().map(Zeroizing::new)
    }

    /// The names of the servers, in order.
    pub fn names(&self) -> Vec<&str> {
        self.servers.keys().map(String::as_str).collect()
    }

    pub(crate) fn servers(&self) -> &BTreeMap<String, Server> {
        &self.servers
    }
}

impl Server {
    /// No system starts a process with a NUL character in its name, arguments or environment.
    fn can_start(&self) -> bool {
        let Self::Stdio(Program { command, args, env }) = self else { return true };
        let names = env.keys().all(|name| !name.is_empty() && !name.contains(['=', '\0']));
        let values = env.values().all(|value| !value.0.expose().contains('\0'));
        let program = !command.is_empty() && args.iter().chain([command]).all(|text| !text.contains('\0'));
        names && values && program
    }
}
