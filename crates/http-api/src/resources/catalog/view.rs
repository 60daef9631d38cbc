//! What a catalog item looks like. The catalog itself writes it, once at start; this is its description.

use std::str::FromStr;

use serde_json::Value;
use utoipa::ToSchema;

/// How a provider's credential is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum AuthType {
    /// A bearer or personal access token.
    Token,
    /// An API key.
    Apikey,
    /// An OAuth 2.0 access token or client.
    Oauth,
    /// A user name and a password.
    Basic,
    /// A service account's key file.
    ServiceAccount,
    /// A URL that is itself the secret.
    WebhookUrl,
    /// The parts of a database connection.
    ConnectionString,
    /// Nothing.
    None,
}

impl AuthType {
    const ALL: [Self; 8] = [
        Self::Token,
        Self::Apikey,
        Self::Oauth,
        Self::Basic,
        Self::ServiceAccount,
        Self::WebhookUrl,
        Self::ConnectionString,
        Self::None,
    ];

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Apikey => "apikey",
            Self::Oauth => "oauth",
            Self::Basic => "basic",
            Self::ServiceAccount => "service_account",
            Self::WebhookUrl => "webhook_url",
            Self::ConnectionString => "connection_string",
            Self::None => "none",
        }
    }
}

impl FromStr for AuthType {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|known| known.as_str() == text);
        known.ok_or_else(|| format!("must be one of {}", Self::ALL.map(Self::as_str).join(", ")))
    }
}

/// A provider an agent can be connected to.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the catalog writes its own documents; this describes them to clients")]
pub(super) struct CatalogItem {
    /// The entry's id: the `provider` of a connect request.
    #[schema(example = "slack")]
    id: String,
    /// The name a person knows it by.
    #[schema(example = "Slack")]
    name: String,
    /// An icon's name.
    #[schema(example = "slack")]
    icon: String,
    /// The category it is listed under.
    #[schema(example = "communication")]
    category: String,
    /// What it is for, in a sentence.
    #[schema(example = "Send and receive messages through Slack channels.")]
    description: String,
    /// How its credential is used.
    auth_type: AuthType,
    /// The JSON Schema (draft 2020-12) of `config`. Secret fields are marked `writeOnly`; fields that decide where a
    /// credential is sent are marked `x-destination`.
    #[schema(value_type = Object, example = json!({ "type": "object", "properties": { "channel": { "type": "string" } } }))]
    config_schema: Value,
    /// Whether it can be connected in this installation.
    #[schema(example = true)]
    enabled: bool,
    /// The vendor's documentation.
    #[schema(example = "https://api.slack.com/")]
    docs_url: String,
    /// What an agent can do with it.
    #[schema(example = json!(["read", "write"]))]
    capabilities: Vec<String>,
    /// What a person enters that is a credential. The first one is the `token` of a connect request, unless the
    /// provider takes none; the others are members of `config`.
    credential_fields: Vec<CredentialField>,
    /// The environment variables a connection sets.
    env: Vec<Variable>,
    /// The MCP server that gives an agent the provider's tools, if there is one.
    #[schema(value_type = Option<Object>)]
    mcp: Option<Value>,
    /// How the provider's webhooks are verified, if it sends any.
    #[schema(value_type = Option<Object>)]
    webhook: Option<Value>,
}

/// A credential a person enters.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the catalog writes its own documents; this describes them to clients")]
struct CredentialField {
    /// Its name.
    #[schema(example = "bot_token")]
    name: String,
    /// Its label in forms.
    #[schema(example = "Bot token")]
    title: String,
    /// A sentence of help.
    description: Option<String>,
    /// Where a connect request carries it.
    r#in: CredentialPlace,
    /// Whether it is kept in the vault and never returned.
    #[schema(example = true)]
    secret: bool,
    /// Whether a connection needs it.
    #[schema(example = true)]
    required: bool,
    /// Whether it may span lines.
    #[schema(example = false)]
    multiline: bool,
    /// A documented shape, as a help for forms. A value that looks different is not refused.
    hint: Option<String>,
    /// What an empty input shows.
    placeholder: Option<String>,
}

/// Where a connect request carries a credential.
#[derive(ToSchema, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "the catalog writes its own documents; this describes them to clients")]
enum CredentialPlace {
    /// As `token`.
    Token,
    /// As a member of `config`.
    Config,
}

/// An environment variable a connection sets.
#[derive(ToSchema)]
#[schema(as = CatalogVariable)]
#[expect(dead_code, reason = "the catalog writes its own documents; this describes them to clients")]
struct Variable {
    /// Its name under the label `default`; under another label `__LABEL` is appended.
    #[schema(example = "SLACK_BOT_TOKEN")]
    name: String,
    /// The field it carries.
    #[schema(example = "bot_token")]
    field: String,
    /// Whether that is a secret.
    #[schema(example = true)]
    secret: bool,
}
