//! Commands and their arguments.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use nora_mcp_servers::Form;

use crate::settings::Flags;

/// Connects third-party tools to AI agents. Without a command it serves.
#[derive(Debug, Parser)]
#[command(name = "nora", version, args_conflicts_with_subcommands = true)]
pub(crate) struct Line {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) serve: Flags,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the server
    Serve(Flags),
    /// Run the server with a reference runtime and the agent of the API reference
    Demo(Flags),
    /// Bring the database to this binary's schema
    Migrate(Flags),
    /// Print the `OpenAPI` document
    Openapi,
    /// Make, inspect or rotate the keyring
    #[command(subcommand)]
    Vault(VaultCommand),
    /// Look at provider manifests
    #[command(subcommand)]
    Catalog(CatalogCommand),
    /// Manage API keys through a running server
    #[command(subcommand)]
    Key(KeyCommand),
    /// Look at agents through a running server
    #[command(subcommand)]
    Agent(AgentCommand),
    /// Look at what reaches an agent's runtime, through a running server
    #[command(subcommand)]
    Runtime(RuntimeCommand),
    /// Look at an agent's MCP servers, through a running server
    #[command(subcommand)]
    Mcp(McpCommand),
}

#[derive(Debug, Subcommand)]
pub(crate) enum VaultCommand {
    /// Write a new keyring, never over an old one
    Init(Flags),
    /// Show the keyring's keys and how many agents each one serves
    Status(Flags),
    /// Add a key, make it the active one and wrap every agent's key with it
    Rotate(Flags),
}

#[derive(Debug, Subcommand)]
pub(crate) enum CatalogCommand {
    /// List the providers of this binary, and of a directory of manifests
    List {
        /// Directory of provider manifests
        #[arg(long, env = "NORA_PROVIDERS_DIR", hide_env_values = true)]
        providers_dir: Option<PathBuf>,
        /// Print a Markdown table with how each one is tested
        #[arg(long)]
        markdown: bool,
    },
    /// Check a provider manifest
    Check {
        /// The manifest
        file: PathBuf,
    },
}

/// Which server, and what opens it.
#[derive(Debug, Args)]
pub(crate) struct Remote {
    /// Base URL of the server
    #[arg(long, env = "NORA_URL", default_value = "http://127.0.0.1:8080", hide_env_values = true)]
    pub(crate) url: String,
    /// File with an API key [default: bootstrap-key in the data directory]
    #[arg(long)]
    pub(crate) token_file: Option<PathBuf>,
    /// Data directory in which the default token file lies
    #[arg(long, env = "NORA_DATA_DIR", default_value = "./nora-data", hide_env_values = true)]
    pub(crate) data_dir: PathBuf,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Make a key and print it, this once
    Create {
        /// What to call it
        name: String,
        /// A scope it carries; may be repeated
        #[arg(long = "scope", required = true)]
        scopes: Vec<String>,
        /// The workspace it belongs to
        #[arg(long)]
        workspace: Option<String>,
        /// When it ends (RFC 3339)
        #[arg(long)]
        expires_at: Option<String>,
        #[command(flatten)]
        remote: Remote,
    },
    /// List keys
    List {
        #[command(flatten)]
        remote: Remote,
    },
    /// Revoke a key
    Revoke {
        /// The key's record id
        id: String,
        #[command(flatten)]
        remote: Remote,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum AgentCommand {
    /// List agents
    List {
        #[command(flatten)]
        remote: Remote,
    },
    /// Push now, and show where the runtime stands
    Sync {
        /// The agent's id
        agent: String,
        #[command(flatten)]
        remote: Remote,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum RuntimeCommand {
    /// Print the public half of the device key that an operator pairs with the agent's gateway
    DeviceKey {
        /// The agent's id
        agent: String,
        #[command(flatten)]
        remote: Remote,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum McpCommand {
    /// Print the MCP configuration of an agent, with `${NAME}` in place of each credential
    Config {
        /// The agent's id
        agent: String,
        /// Who reads it: claude, openclaw, hermes or plain [default: what the agent's runtime reads]
        #[arg(long = "for", value_name = "READER")]
        form: Option<Form>,
        #[command(flatten)]
        remote: Remote,
    },
}
