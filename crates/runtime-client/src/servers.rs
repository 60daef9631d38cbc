//! MCP servers as runtimes read them.

use nora_kernel::{ProviderId, Secret};
use nora_mcp_servers::ports::DeployedServer;
use nora_provider_sdk::manifest::{McpValue, ResolvedMcp};
use serde::ser::{Serialize, SerializeMap as _, Serializer};

/// Servers by name: `{"command", "args", "env"}` for a process, `{"url", "headers"}` for one on the network.
pub(crate) struct Servers<'a> {
    pub(crate) all: &'a [DeployedServer],
    /// What the member `transport` of a server on the network says, where the runtime wants one.
    pub(crate) transport: Option<&'static str>,
    /// Whether they stand beside servers of others, and so under names that say whose they are.
    pub(crate) ours: bool,
}

/// What the names of our servers begin with where others keep theirs too.
const PREFIX: &str = "nora-";

/// The name of one of our servers where others keep theirs too.
pub(crate) fn our_name(name: &ProviderId) -> String {
    format!("{PREFIX}{name}")
}

/// Whether a server is one of ours.
pub(crate) fn is_ours(name: &str) -> bool {
    name.starts_with(PREFIX)
}

struct Entry<'a> {
    how: &'a ResolvedMcp,
    transport: Option<&'static str>,
}

/// Variables or headers. Here, and nowhere else in a deployment, credentials are written out.
struct Values<'a>(&'a [McpValue]);

struct Exposed<'a>(&'a Secret);

impl Serialize for Servers<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.all.len()))?;
        for server in self.all {
            let entry = Entry { how: &server.how, transport: self.transport };
            if self.ours {
                map.serialize_entry(&our_name(&server.name), &entry)?;
            } else {
                map.serialize_entry(server.name.as_str(), &entry)?;
            }
        }
        map.end()
    }
}

impl Serialize for Entry<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match self.how {
            ResolvedMcp::Stdio { command, args, env } => {
                map.serialize_entry("command", command)?;
                map.serialize_entry("args", args)?;
                map.serialize_entry("env", &Values(env))?;
            }
            ResolvedMcp::Remote { url, headers } => {
                if let Some(transport) = self.transport {
                    map.serialize_entry("transport", transport)?;
                }
                map.serialize_entry("url", &Exposed(&url.value))?;
                map.serialize_entry("headers", &Values(headers))?;
            }
        }
        map.end()
    }
}

impl Serialize for Values<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for McpValue { name, value, .. } in self.0 {
            map.serialize_entry(name, &Exposed(value))?;
        }
        map.end()
    }
}

impl Serialize for Exposed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.expose())
    }
}
