//! The MCP server that gives an agent a provider's tools.

use nora_kernel::{EnvName, FieldName, Secret};
use serde_json::{Value, json};

use crate::template::{Escape, Lookup as _, RenderError, RenderErrorKind, Template, UrlTemplate};
use crate::values::Values;
use crate::when::When;

/// How the server is reached.
#[derive(Debug)]
#[non_exhaustive]
pub enum McpTransport {
    /// A child process that speaks over its standard streams.
    Stdio {
        /// The package.
        package: String,
        /// Whether the package is one of the npm registry.
        is_npm: bool,
        /// Its exact version.
        version: String,
        /// The program that starts it.
        command: String,
        /// Its arguments; none of them holds a credential.
        args: Vec<Template>,
        /// Environment variables of the process.
        env: Vec<McpVariable>,
    },
    /// A server on the network that speaks streamable HTTP.
    Remote {
        /// The template of its URL.
        url: McpUrl,
        /// Headers.
        headers: Vec<McpVariable>,
    },
}

/// The URL of a remote server.
#[derive(Debug)]
pub struct McpUrl {
    pub(crate) source: String,
    pub(crate) url: McpUrlKind,
}

#[derive(Debug)]
pub(crate) enum McpUrlKind {
    /// A URL of the manifest's, with holes.
    Template(UrlTemplate),
    /// A `url` field as it is.
    Field(String),
}

/// An environment variable or header of an MCP server.
#[derive(Debug)]
pub struct McpVariable {
    /// Its name.
    pub name: String,
    /// Its value over the fields.
    pub value: Template,
    /// The first secret field the value is made of, if any.
    pub secret: Option<FieldName>,
    pub(crate) when: When,
}

/// An MCP server.
#[derive(Debug)]
#[non_exhaustive]
pub struct McpServer {
    /// How it is reached.
    pub transport: McpTransport,
    /// Optional fields without which it is of no use.
    pub requires: Vec<FieldName>,
    /// Its documentation.
    pub docs_url: String,
    /// What to know before using it; empty where there is nothing.
    pub notes: String,
}

/// An MCP server with one connection's values filled in.
#[derive(Debug)]
pub enum ResolvedMcp {
    /// A child process.
    Stdio {
        /// The program.
        command: String,
        /// Its arguments; none of them holds a credential.
        args: Vec<String>,
        /// Its environment variables.
        env: Vec<McpValue>,
    },
    /// A server on the network.
    Remote {
        /// Its URL.
        url: McpValue,
        /// Headers.
        headers: Vec<McpValue>,
    },
}

/// A value for an MCP server.
#[derive(Debug)]
pub struct McpValue {
    /// The name of the variable or header; `url` for a URL.
    pub name: String,
    /// The value.
    pub value: Secret,
    /// The secret field it is made of; `None` for a value that may be shown.
    pub secret: Option<FieldName>,
}

/// Why a connection cannot feed an MCP server: a field is missing, or has a value that does not fit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the MCP server needs `{field}`")]
pub struct McpUnfed {
    /// The name of the field.
    pub field: String,
}

impl From<RenderError> for McpUnfed {
    fn from(error: RenderError) -> Self {
        Self { field: error.name }
    }
}

impl McpServer {
    /// The npm package, without its version; empty for a server that is none.
    pub fn npm_package(&self) -> &str {
        match &self.transport {
            McpTransport::Stdio { package, is_npm: true, .. } => package,
            McpTransport::Stdio { .. } | McpTransport::Remote { .. } => "",
        }
    }

    /// What a client sees: how it is reached, and where its values come from. It holds no value.
    pub fn description(&self) -> Value {
        let variables = |variables: &[McpVariable]| {
            let entries = variables.iter().map(|variable| (variable.name.clone(), json!(variable.value.source())));
            entries.collect::<serde_json::Map<_, _>>()
        };
        let mut description = match &self.transport {
            McpTransport::Stdio { package, version, command, args, env, .. } => json!({
                "transport": "stdio",
                "package": package,
                "version": version,
                "command": command,
                "args": args.iter().map(Template::source).collect::<Vec<_>>(),
                "env": variables(env),
            }),
            McpTransport::Remote { url, headers } => json!({
                "transport": "streamable-http",
                "url": url.source,
                "headers": variables(headers),
            }),
        };
        if let Value::Object(members) = &mut description {
            members.insert("npmPackage".to_owned(), json!(self.npm_package()));
            members.insert("docsUrl".to_owned(), json!(self.docs_url));
            members.insert("notes".to_owned(), json!(self.notes));
        }
        description
    }

    /// Fills the server in. A variable whose fields are empty is left out.
    pub(crate) fn resolve(&self, values: &Values<'_>) -> Result<ResolvedMcp, McpUnfed> {
        let connection = values.connection();
        if let Some(missing) = self.requires.iter().find(|field| !connection.is_set(field.as_str())) {
            return Err(McpUnfed { field: missing.to_string() });
        }
        match &self.transport {
            McpTransport::Stdio { command, args, env, .. } => Ok(ResolvedMcp::Stdio {
                command: command.clone(),
                args: args.iter().filter_map(|arg| argument(arg, values).transpose()).collect::<Result<_, _>>()?,
                env: resolve_all(env, Escape::Nothing, values)?,
            }),
            McpTransport::Remote { url, headers } => Ok(ResolvedMcp::Remote {
                url: url.resolve(values)?,
                headers: resolve_all(headers, Escape::Header, values)?,
            }),
        }
    }
}

impl McpUrl {
    fn resolve(&self, values: &Values<'_>) -> Result<McpValue, McpUnfed> {
        let manifest = values.connection().manifest();
        let secret = |names: &mut dyn Iterator<Item = &str>| {
            let mut fields = names.filter_map(|name| manifest.field(name)).filter(|field| field.secret);
            fields.next().map(|field| field.name.clone())
        };
        let (value, secret) = match &self.url {
            McpUrlKind::Template(template) => {
                (Secret::new(template.render(values)?.into()), secret(&mut template.names()))
            }
            McpUrlKind::Field(name) => (values.value(name)?, secret(&mut std::iter::once(name.as_str()))),
        };
        Ok(McpValue { name: "url".to_owned(), value, secret })
    }
}

fn argument(template: &Template, values: &Values<'_>) -> Result<Option<String>, McpUnfed> {
    let rendered = crate::template::present(template.render(values, Escape::Nothing))?;
    Ok(rendered.map(|argument| argument.expose().to_owned()))
}

fn resolve_all(variables: &[McpVariable], escape: Escape, values: &Values<'_>) -> Result<Vec<McpValue>, McpUnfed> {
    let connection = values.connection();
    let applicable = variables.iter().filter(|variable| variable.when.holds(&connection));
    let resolved = applicable.filter_map(|variable| match variable.value.render(values, escape) {
        Ok(value) => Some(Ok(McpValue { name: variable.name.clone(), value, secret: variable.secret.clone() })),
        Err(error) if error.kind == RenderErrorKind::Missing => None,
        Err(error) => Some(Err(error.into())),
    });
    resolved.collect()
}

/// Checks the name of a variable of an MCP server's process.
pub(crate) fn variable_name(text: &str) -> Result<String, String> {
    text.parse::<EnvName>().map(|name| name.as_str().to_owned()).map_err(|error| error.to_string())
}
