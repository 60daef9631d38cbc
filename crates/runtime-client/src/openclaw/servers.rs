//! MCP servers of a gateway's configuration, which takes a patch while it runs.

use std::collections::{BTreeMap, BTreeSet};

use nora_mcp_servers::ports::DeployedServer;
use nora_provider_sdk::manifest::{McpValue, ResolvedMcp};
use serde::de::IgnoredAny;
use serde::ser::{SerializeMap as _, Serializer};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::frame::exposed;
use crate::servers::{is_ours, our_name};

/// How `OpenClaw` calls the transport of a server on the network.
const STREAMABLE_HTTP: &str = "streamable-http";

/// A configuration, as far as it matters here. Values that are given to servers are hidden in it.
#[derive(Deserialize)]
pub(super) struct Configuration {
    pub(super) hash: String,
    #[serde(default)]
    config: Document,
}

#[derive(Default, Deserialize)]
struct Document {
    #[serde(default)]
    mcp: Mcp,
}

#[derive(Default, Deserialize)]
struct Mcp {
    #[serde(default)]
    servers: BTreeMap<String, Present>,
}

/// A server that is there.
#[derive(Deserialize)]
struct Present {
    #[serde(default)]
    env: Names,
    #[serde(default)]
    headers: Names,
    args: Option<IgnoredAny>,
    command: Option<IgnoredAny>,
    url: Option<IgnoredAny>,
    transport: Option<IgnoredAny>,
}

/// The names of an object's members.
#[derive(Default)]
struct Names(BTreeSet<String>);

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let members = Map::<String, Value>::deserialize(deserializer)?;
        Ok(Self(members.into_iter().map(|(name, _)| name).collect()))
    }
}

impl Configuration {
    fn ours(&self) -> impl Iterator<Item = (&str, &Present)> {
        self.config.mcp.servers.iter().map(|(name, server)| (name.as_str(), server)).filter(|(name, _)| is_ours(name))
    }

    /// Whether it has our servers under these names, and no other of ours.
    pub(super) fn has_exactly(&self, servers: &[DeployedServer]) -> bool {
        let mut wanted: Vec<String> = servers.iter().map(|server| our_name(&server.name)).collect();
        wanted.sort();
        self.ours().map(|(name, _)| name).eq(wanted.iter().map(String::as_str))
    }

    /// Lists that the patch replaces or deletes; a gateway wants them named.
    pub(super) fn replaced(&self) -> Vec<String> {
        let with_list = self.ours().filter(|(_, server)| server.args.is_some());
        with_list.map(|(name, _)| format!("mcp.servers.{name}.args")).collect()
    }
}

/// The merge patch (RFC 7396) that makes a configuration have these servers of ours and no others of ours.
#[derive(Serialize)]
pub(super) struct Patch<'a> {
    mcp: McpPatch<'a>,
}

#[derive(Serialize)]
struct McpPatch<'a> {
    servers: ServersPatch<'a>,
}

struct ServersPatch<'a> {
    present: &'a Configuration,
    servers: &'a [DeployedServer],
}

impl<'a> Patch<'a> {
    pub(super) const fn new(present: &'a Configuration, servers: &'a [DeployedServer]) -> Self {
        Self { mcp: McpPatch { servers: ServersPatch { present, servers } } }
    }
}

impl Serialize for ServersPatch<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for server in self.servers {
            let name = our_name(&server.name);
            let present = self.present.config.mcp.servers.get(&name);
            map.serialize_entry(&name, &ServerPatch { how: &server.how, present })?;
        }
        let is_wanted = |name: &str| self.servers.iter().any(|server| our_name(&server.name) == name);
        for (name, _) in self.present.ours().filter(|(name, _)| !is_wanted(name)) {
            map.serialize_entry(name, &())?;
        }
        map.end()
    }
}

/// One server whole, and `null` for whatever it had besides: a patch leaves what it does not name.
struct ServerPatch<'a> {
    how: &'a ResolvedMcp,
    present: Option<&'a Present>,
}

impl Serialize for ServerPatch<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let had = |member: fn(&Present) -> bool| self.present.is_some_and(member);
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("enabled", &true)?;
        match self.how {
            ResolvedMcp::Stdio { command, args, env } => {
                map.serialize_entry("command", command)?;
                map.serialize_entry("args", args)?;
                map.serialize_entry("env", &Values { values: env, present: self.present.map(|server| &server.env) })?;
                clear(&mut map, "url", had(|server| server.url.is_some()))?;
                clear(&mut map, "headers", had(|server| !server.headers.0.is_empty()))?;
                clear(&mut map, "transport", had(|server| server.transport.is_some()))?;
            }
            ResolvedMcp::Remote { url, headers } => {
                let present = self.present.map(|server| &server.headers);
                map.serialize_entry("url", url.value.expose())?;
                map.serialize_entry("transport", STREAMABLE_HTTP)?;
                map.serialize_entry("headers", &Values { values: headers, present })?;
                clear(&mut map, "command", had(|server| server.command.is_some()))?;
                clear(&mut map, "args", had(|server| server.args.is_some()))?;
                clear(&mut map, "env", had(|server| !server.env.0.is_empty()))?;
            }
        }
        map.end()
    }
}

fn clear<M: serde::ser::SerializeMap>(map: &mut M, member: &str, is_there: bool) -> Result<(), M::Error> {
    if is_there { map.serialize_entry(member, &()) } else { Ok(()) }
}

/// Variables or headers, and `null` for those that go.
struct Values<'a> {
    values: &'a [McpValue],
    present: Option<&'a Names>,
}

impl Serialize for Values<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for McpValue { name, value, .. } in self.values {
            map.serialize_entry(name, value.expose())?;
        }
        let gone = |name: &&String| !self.values.iter().any(|value| value.name == **name);
        for name in self.present.into_iter().flat_map(|present| &present.0).filter(gone) {
            map.serialize_entry(name, &())?;
        }
        map.end()
    }
}

/// The parameters of `config.patch`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PatchParams<'a> {
    #[serde(serialize_with = "exposed")]
    pub(super) raw: &'a nora_kernel::Secret,
    pub(super) base_hash: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) replace_paths: Vec<String>,
}

/// What a gateway says about a patch.
#[derive(Deserialize)]
pub(super) struct Patched {
    ok: bool,
    /// Absent where the patch changed nothing.
    sentinel: Option<Sentinel>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Sentinel {
    payload: SentinelPayload,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct SentinelPayload {
    stats: Stats,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Stats {
    requires_restart: bool,
}

impl Patched {
    /// Whether the running gateway took it over.
    pub(super) fn is_live(&self) -> bool {
        self.ok && !self.sentinel.as_ref().is_some_and(|sentinel| sentinel.payload.stats.requires_restart)
    }
}
