//! A deployment in the forms that runtimes and people read.

use std::fmt;
use std::str::FromStr;

use nora_agents::RuntimeKind;
use nora_kernel::IntegrationId;
use serde_json::{Map, Value, json};

use crate::shown::{Shown, ShownHow, ShownServer, ShownValue};

/// Who reads a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Claude: the `.mcp.json` of a project, or the settings of the desktop application.
    Claude,
    /// `OpenClaw`: `mcp.servers` in `openclaw.json`.
    Openclaw,
    /// Hermes: `mcp_servers` in `config.yaml`, of which JSON is a part.
    Hermes,
    /// Anybody else: `mcpServers`.
    Plain,
}

/// The text names no form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be claude, openclaw, hermes or plain")]
pub struct UnknownForm;

impl Form {
    const ALL: [Self; 4] = [Self::Claude, Self::Openclaw, Self::Hermes, Self::Plain];

    /// The form's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Claude => "claude",
            Self::Openclaw => "openclaw",
            Self::Hermes => "hermes",
            Self::Plain => "plain",
        }
    }

    /// The form that runtimes of a kind read.
    pub const fn of(kind: RuntimeKind) -> Self {
        match kind {
            RuntimeKind::Openclaw => Self::Openclaw,
            RuntimeKind::Hermes => Self::Hermes,
            RuntimeKind::Nora | RuntimeKind::Sidecar => Self::Plain,
        }
    }

    /// The whole document, with `${NAME}` in place of each secret.
    pub fn document(self, servers: &[ShownServer]) -> Value {
        let written = |server: &ShownServer| (server.name.to_string(), self.server(server));
        let servers: Map<String, Value> = servers.iter().map(written).collect();
        match self {
            Self::Claude | Self::Plain => json!({ "mcpServers": servers }),
            Self::Openclaw => json!({ "mcp": { "servers": servers } }),
            Self::Hermes => json!({ "mcp_servers": servers }),
        }
    }

    /// What the document calls the way a server on the network is spoken to.
    const fn transport(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Claude => Some(("type", "http")),
            Self::Openclaw => Some(("transport", "streamable-http")),
            Self::Hermes | Self::Plain => None,
        }
    }

    fn server(self, server: &ShownServer) -> Value {
        let mut written = write(server, &|value| match value {
            Shown::Public(text) => json!(text),
            Shown::Secret { placeholder, .. } => json!(placeholder),
        });
        if let (ShownHow::Remote { .. }, Some((name, word)), Value::Object(members)) =
            (&server.how, self.transport(), &mut written)
        {
            members.insert(name.to_owned(), json!(word));
        }
        written
    }
}

impl fmt::Display for Form {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for Form {
    type Err = UnknownForm;

    fn from_str(text: &str) -> Result<Self, UnknownForm> {
        Self::ALL.into_iter().find(|form| form.as_str() == text).ok_or(UnknownForm)
    }
}

/// Servers by name, with `{"secretRef": "INTEGRATION_ID/FIELD"}` in place of each secret.
pub fn references(servers: &[ShownServer]) -> Map<String, Value> {
    servers.iter().map(|server| (server.name.to_string(), referring(server))).collect()
}

fn referring(server: &ShownServer) -> Value {
    let integration: IntegrationId = server.integration;
    write(server, &|value| match value {
        Shown::Public(text) => json!(text),
        Shown::Secret { field, .. } => json!({ "secretRef": format!("{integration}/{field}") }),
    })
}

fn write(server: &ShownServer, value: &dyn Fn(&Shown) -> Value) -> Value {
    let values = |values: &[ShownValue]| -> Map<String, Value> {
        values.iter().map(|shown| (shown.name.clone(), value(&shown.value))).collect()
    };
    match &server.how {
        ShownHow::Stdio { command, args, env } => json!({ "command": command, "args": args, "env": values(env) }),
        ShownHow::Remote { url, headers } => json!({ "url": value(&url.value), "headers": values(headers) }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(name: &str, placeholder: &str) -> ShownValue {
        let value = Shown::Secret { field: "token".parse().unwrap(), placeholder: placeholder.to_owned() };
        ShownValue { name: name.to_owned(), value }
    }

    fn public(name: &str, text: &str) -> ShownValue {
        ShownValue { name: name.to_owned(), value: Shown::Public(text.to_owned()) }
    }

    fn servers() -> Vec<ShownServer> {
        let integration = IntegrationId::from_uuid("0190a000-0000-7000-8000-000000000001".parse().unwrap());
        let process = ShownHow::Stdio {
            command: "npx".to_owned(),
            args: vec!["-y".to_owned(), "acme@1.0.0".to_owned()],
            env: vec![secret("ACME_KEY", "${ACME_TOKEN}"), public("ACME_URL", "https://acme.example")],
        };
        let remote = ShownHow::Remote {
            url: public("url", "https://mcp.acme.example"),
            headers: vec![secret("Authorization", "Bearer ${ACME_TOKEN}")],
        };
        [("acme", process), ("beta", remote)]
            .map(|(name, how)| ShownServer { name: name.parse().unwrap(), integration, how })
            .into()
    }

    #[test]
    fn each_form_is_what_its_reader_expects() {
        let process = json!({
            "command": "npx",
            "args": ["-y", "acme@1.0.0"],
            "env": { "ACME_KEY": "${ACME_TOKEN}", "ACME_URL": "https://acme.example" },
        });
        let remote = |member: Option<(&str, &str)>| {
            let headers = json!({ "Authorization": "Bearer ${ACME_TOKEN}" });
            let mut remote = json!({ "url": "https://mcp.acme.example", "headers": headers });
            if let Some((name, word)) = member {
                remote[name] = json!(word);
            }
            remote
        };
        let both = |member| json!({ "acme": process, "beta": remote(member) });
        let expected = [
            (Form::Claude, json!({ "mcpServers": both(Some(("type", "http"))) })),
            (Form::Openclaw, json!({ "mcp": { "servers": both(Some(("transport", "streamable-http"))) } })),
            (Form::Hermes, json!({ "mcp_servers": both(None) })),
            (Form::Plain, json!({ "mcpServers": both(None) })),
        ];
        for (form, document) in expected {
            assert_eq!(form.document(&servers()), document, "{form}");
            assert_eq!(form.as_str().parse(), Ok(form));
        }
        assert_eq!("yaml".parse::<Form>(), Err(UnknownForm));
    }

    #[test]
    fn references_name_the_field_and_never_its_value() {
        let reference = json!({ "secretRef": "0190a000-0000-7000-8000-000000000001/token" });
        let references = references(&servers());
        assert_eq!(references["acme"]["env"]["ACME_KEY"], reference);
        assert_eq!(references["acme"]["env"]["ACME_URL"], "https://acme.example");
        assert_eq!(references["beta"]["headers"]["Authorization"], reference);
    }
}
