//! `[[fields]]`: what a person enters.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::Text;

/// One field: `[[fields]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldEntry {
    /// Its name in requests and templates: lower-case letters, digits and underscores.
    pub name: Text,
    /// Its label in forms.
    pub title: String,
    /// A sentence of help: where to find the value, what it must be allowed to do.
    pub description: Option<String>,
    /// What it holds. `text` unless given.
    #[serde(rename = "type", default)]
    pub kind: FieldType,
    /// Whether it is kept in the vault and never returned. The token always is.
    pub secret: Option<bool>,
    /// Whether a connection needs it. The token is required unless `required = false`; other fields are optional
    /// unless `required = true`.
    pub required: Option<bool>,
    /// Makes it required while another field has a value: `{ deployment = "cloud" }`. The default of the other field
    /// counts.
    pub required_when: Option<BTreeMap<Text, toml::Value>>,
    /// A pattern that every value must match. Not for the token, whose shape is the vendor's to change.
    pub pattern: Option<Text>,
    /// A documented shape. Forms warn by it; nothing is refused.
    pub hint: Option<Text>,
    /// The options of a `choice`.
    pub options: Option<Spanned<Vec<String>>>,
    /// The domain after a `subdomain` (exactly one), or the domains a `host_under` or a `base_url` must lie under.
    pub domains: Option<Spanned<Vec<String>>>,
    /// The smallest `integer`.
    pub min: Option<i64>,
    /// The largest `integer`.
    pub max: Option<i64>,
    /// The fewest characters.
    pub min_length: Option<u32>,
    /// The most characters.
    pub max_length: Option<u32>,
    /// The value that counts when none is given: text, a whole number, or `true` or `false`, as the type says.
    pub default: Option<Spanned<toml::Value>>,
    /// Values that may be shown as examples. Each one validates.
    pub examples: Option<Spanned<Vec<toml::Value>>>,
    /// What an empty input shows.
    pub placeholder: Option<String>,
    /// The environment variable that carries the value to the agent: the name the vendor's own tools read.
    pub env: Option<Text>,
    /// What the variable is set to, where tools want more than the bare value: `"https://{hostname}"`. It may name this
    /// field only.
    pub env_value: Option<Text>,
    /// What the variable is set to for each value of a `choice` or a `boolean`, where tools use other words.
    pub env_map: Option<Spanned<BTreeMap<String, String>>>,
    /// Whether the field is only kept for those who filled it in before.
    #[serde(default)]
    pub deprecated: bool,
    /// `true` marks a field whose change moves the credential to another place although its type does not say so.
    /// Fields that stand in a host are marked by themselves.
    #[serde(default)]
    pub destination: bool,
}

/// The types of fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldType {
    /// One line of text.
    #[default]
    Text,
    /// One of `options`.
    Choice,
    /// A whole number, between `min` and `max` where given.
    Integer,
    /// Yes or no.
    Boolean,
    /// An e-mail address.
    Email,
    /// A UUID.
    Uuid,
    /// An `http` or `https` URL that no request of a test is sent to.
    Url,
    /// A base URL that requests are sent to: scheme, host, optional port and path, nothing else. A default is its
    /// value for those who use the vendor's own installation.
    BaseUrl,
    /// A host name or address, without a port.
    Host,
    /// The label in front of the one domain in `domains`: `acme` for `acme.zendesk.com`.
    Subdomain,
    /// A host name under one of `domains`.
    HostUnder,
    /// A JSON document.
    Json,
    /// PEM text.
    Pem,
    /// A YAML document.
    Yaml,
}
