//! What MCP servers look like.

use nora_mcp_servers::{Selection, ServerView};
use serde::Serialize;
use utoipa::ToSchema;

/// The MCP servers an agent can have.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = McpServers)]
pub(super) struct ServersBody<'a> {
    /// One entry for each provider that has a server.
    servers: Vec<ServerBody<'a>>,
}

/// A set of MCP servers that was made.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = McpSelection)]
pub(super) struct SelectionBody<'a> {
    /// The providers whose server is switched on, in order.
    #[schema(example = json!(["gitlab"]))]
    enabled: Vec<String>,
    /// Whether the runtime has to be redeployed to have this set with these credentials.
    #[schema(example = true)]
    redeploy_required: bool,
    /// One entry for each provider that has a server.
    servers: Vec<ServerBody<'a>>,
}

/// An MCP server an agent can have.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = McpServer)]
struct ServerBody<'a> {
    /// Its provider.
    #[schema(example = "gitlab")]
    provider: &'a str,
    /// The provider's name.
    #[schema(example = "GitLab")]
    name: &'a str,
    /// Its npm package; empty for a server that is none.
    #[schema(example = "@modelcontextprotocol/server-gitlab")]
    npm_package: &'a str,
    /// Its documentation.
    #[schema(example = "https://github.com/modelcontextprotocol/servers/tree/main/src/gitlab")]
    docs_url: &'a str,
    /// What to know before using it; empty where there is nothing.
    #[schema(example = "Reference MCP server.")]
    notes: &'a str,
    /// Whether the agent has an active integration of the provider.
    #[schema(example = true)]
    connected: bool,
    /// Whether it is switched on.
    #[schema(example = false)]
    enabled: bool,
}

impl<'a> ServersBody<'a> {
    pub(super) fn of(servers: Vec<ServerView<'a>>) -> Self {
        Self { servers: servers.into_iter().map(ServerBody::of).collect() }
    }
}

impl<'a> SelectionBody<'a> {
    pub(super) fn of(selection: Selection<'a>) -> Self {
        let Selection { enabled, redeploy_required, servers } = selection;
        Self {
            enabled: enabled.iter().map(ToString::to_string).collect(),
            redeploy_required,
            servers: servers.into_iter().map(ServerBody::of).collect(),
        }
    }
}

impl<'a> ServerBody<'a> {
    fn of(server: ServerView<'a>) -> Self {
        let ServerView { provider, name, npm_package, docs_url, notes, connected, enabled } = server;
        Self { provider: provider.as_str(), name, npm_package, docs_url, notes, connected, enabled }
    }
}
