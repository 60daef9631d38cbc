//! A server as a person may see it: with a reference in place of every credential.

use nora_integrations::Integration;
use nora_kernel::{FieldName, IntegrationId, ProviderId};
use nora_provider_sdk::manifest::{McpTransport, McpValue, McpVariable, ResolvedMcp};
use nora_provider_sdk::{Connection, Part};

use crate::ports::DeployedServer;

/// A server without its credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownServer {
    /// Its name at the runtime: the provider's id.
    pub name: ProviderId,
    /// The integration that feeds it.
    pub integration: IntegrationId,
    /// How it is started or reached.
    pub how: ShownHow,
}

/// How a server is started or reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ShownHow {
    /// A child process.
    Stdio {
        /// The program.
        command: String,
        /// Its arguments.
        args: Vec<String>,
        /// Its environment variables: all it gets.
        env: Vec<ShownValue>,
    },
    /// A server on the network.
    Remote {
        /// Its URL.
        url: ShownValue,
        /// Headers.
        headers: Vec<ShownValue>,
    },
}

/// A variable or header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownValue {
    /// Its name; `url` for a URL.
    pub name: String,
    /// What may be seen of its value.
    pub value: Shown,
}

/// What may be seen of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
    /// All of it.
    Public(String),
    /// Where its secret is kept.
    Secret {
        /// The field of the integration.
        field: FieldName,
        /// The value with `${NAME}` in place of the secret, for documents that people complete: the variable that the
        /// agent's environment has it in, where it has one.
        placeholder: String,
    },
}

pub(crate) fn shown(connection: &Connection<'_>, integration: &Integration, server: &DeployedServer) -> ShownServer {
    let view = View { connection, integration };
    let how = match &server.how {
        ResolvedMcp::Stdio { command, args, env } => {
            ShownHow::Stdio { command: command.clone(), args: args.clone(), env: view.values(env) }
        }
        ResolvedMcp::Remote { url, headers } => {
            ShownHow::Remote { url: view.value(url), headers: view.values(headers) }
        }
    };
    ShownServer { name: server.name.clone(), integration: server.integration, how }
}

struct View<'a> {
    connection: &'a Connection<'a>,
    integration: &'a Integration,
}

impl View<'_> {
    fn values(&self, values: &[McpValue]) -> Vec<ShownValue> {
        values.iter().map(|value| self.value(value)).collect()
    }

    fn value(&self, value: &McpValue) -> ShownValue {
        let McpValue { name, value, secret } = value;
        let value = match secret {
            None => Shown::Public(value.expose().to_owned()),
            Some(field) => Shown::Secret { field: field.clone(), placeholder: self.placeholder(name) },
        };
        ShownValue { name: name.clone(), value }
    }

    fn placeholder(&self, name: &str) -> String {
        let filled = self
            .variable(name)
            .and_then(|variable| variable.value.parts().iter().map(|part| self.part(part)).collect::<Option<String>>());
        filled.unwrap_or_else(|| self.own_variable(name))
    }

    /// The manifest's variable or header of this name.
    fn variable(&self, name: &str) -> Option<&McpVariable> {
        let variables = match &self.connection.manifest().mcp()?.transport {
            McpTransport::Stdio { env, .. } => env,
            McpTransport::Remote { headers, .. } => headers,
            _ => return None,
        };
        variables.iter().find(|variable| variable.name == name)
    }

    /// `None` for what is derived from a secret: no variable of the agent's environment has it.
    fn part(&self, part: &Part) -> Option<String> {
        let name = match part {
            Part::Text(text) => return Some(text.clone()),
            Part::Value(name) => name,
        };
        let field = self.connection.manifest().field(name)?;
        if !field.secret {
            return self.connection.text(name);
        }
        let variable = field.env.as_ref()?.labelled(&self.integration.label)?;
        Some(format!("${{{variable}}}"))
    }

    /// A variable for whoever completes the document to set.
    fn own_variable(&self, name: &str) -> String {
        let is_process = matches!(
            self.connection.manifest().mcp().map(|server| &server.transport),
            Some(McpTransport::Stdio { .. })
        );
        let name = if is_process { name.to_owned() } else { format!("{}_{name}", self.integration.provider) };
        let spelled = name.chars().map(|character| if character.is_ascii_alphanumeric() { character } else { '_' });
        format!("${{{}}}", spelled.collect::<String>().to_ascii_uppercase())
    }
}
