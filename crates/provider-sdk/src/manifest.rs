//! What a provider says about itself.

mod cases;
mod convert;
pub(crate) mod domains;
pub(crate) mod error;
mod field;
mod fields;
pub mod format;
mod load;
mod mcp;
mod mcp_load;
pub(crate) mod pattern;
mod schema;

use std::collections::BTreeMap;

use nora_kernel::{FieldName, ProviderId, Secret, SecretMap};
use serde_json::{Map, Value};

use crate::probe::{RequestSummary, Test, TestKind};
use crate::provider::FieldProblem;
use crate::values::Var;
use crate::webhook::WebhookScheme;
use crate::{Connection, values};

pub use cases::{Answer, Case, Values};
pub use error::ManifestError;
pub use field::{Field, FieldKind};
pub use mcp::{McpServer, McpTransport, McpUnfed, McpUrl, McpValue, McpVariable, ResolvedMcp};

pub(crate) use convert::{json as json_value, json_scalar, scalar};

use error::{Checked, Problem};
use format::Text;

/// How a provider's credential is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthType {
    /// A bearer or personal access token.
    Token,
    /// An API key.
    Apikey,
    /// An OAuth 2.0 access token or client.
    Oauth,
    /// A user name and password (or token in its place).
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
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
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

/// A provider's manifest: parsed and checked, so that every part fits the others.
#[derive(Debug)]
pub struct Manifest {
    id: ProviderId,
    replaces_built_in: bool,
    name: String,
    icon: String,
    category: String,
    description: String,
    docs_url: String,
    auth_type: AuthType,
    capabilities: Vec<String>,
    requires_one_of: Vec<Vec<FieldName>>,
    fields: Vec<Field>,
    config_schema: Value,
    vars: BTreeMap<String, Var>,
    tests: Vec<Test>,
    mcp: Option<McpServer>,
    webhook: Option<WebhookScheme>,
    example: Option<Values>,
    cases: Vec<Case>,
}

impl Manifest {
    /// Parses the text of a manifest file. `file_name` is for the error alone; nothing is read.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong, with its place in the text.
    pub fn parse(file_name: &str, text: &str) -> Result<Self, ManifestError> {
        load::load(file_name, text)
    }

    /// The id in the catalog.
    pub fn id(&self) -> &ProviderId {
        &self.id
    }

    /// Whether it takes the place of the built-in provider with its id.
    pub const fn replaces_built_in(&self) -> bool {
        self.replaces_built_in
    }

    /// The name a person knows it by.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// An icon's name.
    pub fn icon(&self) -> &str {
        &self.icon
    }

    /// The category it is listed under.
    pub fn category(&self) -> &str {
        &self.category
    }

    /// One sentence on what it is for.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// The vendor's documentation.
    pub fn docs_url(&self) -> &str {
        &self.docs_url
    }

    /// How its credential is used.
    pub const fn auth_type(&self) -> AuthType {
        self.auth_type
    }

    /// What an agent can do with it: `read`, `write`, `webhook`, `mcp`, ...
    pub fn capabilities(&self) -> &[String] {
        &self.capabilities
    }

    /// Every field, credentials first.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The field with this name.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name.as_str() == name)
    }

    /// The field that `token` in a request stands for: the first one, unless the provider takes no credential.
    pub fn token(&self) -> Option<&Field> {
        self.fields.first().filter(|_| self.auth_type != AuthType::None)
    }

    /// What a person enters that is a credential: the token, then every other secret field.
    pub fn credential_fields(&self) -> impl Iterator<Item = &Field> {
        let token = self.token().map(|field| &field.name);
        self.fields.iter().filter(move |field| field.secret || Some(&field.name) == token)
    }

    /// Fields of `config`: all but the token.
    pub fn config_fields(&self) -> impl Iterator<Item = &Field> {
        let token = self.token().map(|field| &field.name);
        self.fields.iter().filter(move |field| Some(&field.name) != token)
    }

    /// The JSON Schema (draft 2020-12) of `config`, secrets marked `writeOnly`.
    pub fn config_schema(&self) -> &Value {
        &self.config_schema
    }

    /// Sets of fields of which one must be complete, where there are several ways to authenticate.
    pub fn requires_one_of(&self) -> &[Vec<FieldName>] {
        &self.requires_one_of
    }

    /// What is missing when none of [`requires_one_of`](Self::requires_one_of) is complete. `is_present` says of a
    /// field whether it is given now or kept from before.
    pub fn unmet_requirement(&self, is_present: impl Fn(&str) -> bool) -> Option<FieldProblem> {
        let is_complete = |set: &Vec<FieldName>| set.iter().all(|field| is_present(field.as_str()));
        if self.requires_one_of.is_empty() || self.requires_one_of.iter().any(is_complete) {
            return None;
        }
        let sets = self.requires_one_of.iter().map(|set| {
            let names = set.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>();
            names.join(" with ")
        });
        let field = self.requires_one_of.first()?.first()?.clone();
        Some(FieldProblem { field, detail: format!("needs one of: {}", sets.collect::<Vec<_>>().join("; ")) })
    }

    /// What is wrong with the form of values that were entered, beyond what the schema says.
    pub fn check_form(&self, connection: &Connection<'_>) -> Vec<FieldProblem> {
        let given = self.fields.iter().filter(|field| connection.is_set(field.name.as_str()));
        let problem = |field: &Field| {
            let value = connection.value(field.name.as_str())?;
            let detail = field.check_form(value.expose()).err()?;
            Some(FieldProblem { field: field.name.clone(), detail: detail.to_owned() })
        };
        given.filter_map(problem).collect()
    }

    /// A text that differs where two manifests would have the same connection pushed differently. It is for comparing.
    pub fn pushed_shape(&self) -> String {
        let fields = self.fields.iter().map(|field| (field.name.as_str(), &field.env, field.secret, &field.export));
        let fields: Vec<_> = fields.collect();
        format!("{:?}", (&self.name, &self.category, self.auth_type, &self.capabilities, fields))
    }

    /// The MCP server for this provider, if there is one.
    pub fn mcp(&self) -> Option<&McpServer> {
        self.mcp.as_ref()
    }

    /// The MCP server with a connection's values filled in; `None` if the provider has no server.
    ///
    /// # Errors
    ///
    /// A field the server needs is missing, or its value does not fit.
    pub fn resolve_mcp(&self, connection: &Connection<'_>) -> Option<Result<ResolvedMcp, McpUnfed>> {
        let values = values::Values::new(*connection, &self.vars);
        self.mcp.as_ref().map(|server| server.resolve(&values))
    }

    /// What a client sees of the MCP server.
    pub fn mcp_description(&self) -> Option<Value> {
        self.mcp.as_ref().map(McpServer::description)
    }

    /// How webhooks from this provider are verified, if it sends any.
    pub fn webhook(&self) -> Option<&WebhookScheme> {
        self.webhook.as_ref()
    }

    /// What a client sees of the webhook scheme.
    pub fn webhook_description(&self) -> Option<Value> {
        self.webhook.as_ref().map(WebhookScheme::description)
    }

    /// The hosts to which a secret `field` of a connection is sent in an HTTP header; empty if it is ever sent in
    /// another way, or derived from, or if that is not known.
    pub fn header_hosts(&self, connection: &Connection<'_>, field: &str) -> Vec<String> {
        let derived = self.vars.values().any(|var| var.reads(field));
        let test = self.tests.iter().find(|test| test.when.holds(connection)).filter(|_| !derived);
        let values = values::Values::new(*connection, &self.vars);
        test.map(|test| test.header_hosts(field, &values)).unwrap_or_default()
    }

    /// Every request a test may send.
    pub fn requests(&self) -> Vec<RequestSummary> {
        self.tests.iter().flat_map(Test::requests).collect()
    }

    /// Whether some test is the provider crate's to run.
    pub fn tests_in_code(&self) -> bool {
        self.tests.iter().any(|test| matches!(test.kind, TestKind::Code(_)))
    }

    /// Values every one of which validates, by field.
    pub fn example(&self) -> Option<&Values> {
        self.example.as_ref()
    }

    /// Recorded answers and what a test must make of them.
    pub fn cases(&self) -> &[Case] {
        &self.cases
    }

    /// Splits values as a connection holds them: public configuration, and secrets.
    pub fn split(&self, values: &Values) -> (Map<String, Value>, SecretMap) {
        let mut config = Map::new();
        let mut secrets = SecretMap::new();
        for field in &self.fields {
            match values.get(field.name.as_str()) {
                Some(Value::String(text)) if field.secret => {
                    secrets.insert(field.name.clone(), Secret::new(text.clone()));
                }
                Some(value) => {
                    config.insert(field.name.to_string(), value.clone());
                }
                None => {}
            }
        }
        (config, secrets)
    }

    pub(crate) fn tests(&self) -> &[Test] {
        &self.tests
    }

    pub(crate) const fn vars(&self) -> &BTreeMap<String, Var> {
        &self.vars
    }
}

/// Compiles a pattern of the manifest.
pub(crate) fn compile_pattern(text: &Text) -> Checked<regex::bytes::Regex> {
    pattern::compile(text.get_ref()).map_err(|reason| Problem::with(text, reason))
}

/// An `https` URL for people to open.
pub(crate) fn https_url(text: &Text) -> Checked<String> {
    let url = url::Url::parse(text.get_ref()).ok();
    let fits = url.is_some_and(|url| url.scheme() == "https" && url.host_str().is_some() && url.username().is_empty());
    if fits { Ok(text.get_ref().clone()) } else { Err(Problem::with(text, "is an https URL")) }
}
