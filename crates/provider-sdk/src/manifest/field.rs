//! The fields a person fills in.

use std::collections::BTreeMap;

use nora_kernel::address::NetworkPolicy;
use nora_kernel::{EnvName, FieldName, Secret};
use serde_json::Value;
use url::Url;

use crate::destination;

/// What a field holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldKind {
    /// One line of text.
    Text,
    /// One of the listed values.
    Choice(Vec<String>),
    /// A whole number.
    Integer,
    /// Yes or no.
    Boolean,
    /// An e-mail address.
    Email,
    /// A UUID.
    Uuid,
    /// A URL that is stored and shown, and never called with a credential by itself.
    Url,
    /// A base URL that requests with the credential are sent to.
    BaseUrl,
    /// A host name or address the credential is sent to.
    Host,
    /// The label in front of a fixed domain, such as `acme` in `acme.zendesk.com`.
    Subdomain,
    /// A host name that ends in one of the listed domains (each with its leading dot).
    HostUnder(Vec<String>),
    /// A JSON document.
    Json,
    /// PEM text.
    Pem,
    /// A YAML document.
    Yaml,
}

impl FieldKind {
    /// Whether the value may span lines.
    pub const fn is_multiline(&self) -> bool {
        matches!(self, Self::Json | Self::Pem | Self::Yaml)
    }

    /// Whether the value decides where a credential is sent.
    pub const fn is_destination(&self) -> bool {
        matches!(self, Self::BaseUrl | Self::Host | Self::Subdomain | Self::HostUnder(_))
    }
}

/// What a field's environment variable is set to, where that is not the bare value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Export {
    /// Text before and after the value.
    Around(String, String),
    /// Another word for each value.
    Map(BTreeMap<String, String>),
}

/// One field of a provider.
#[derive(Debug, Clone)]
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "each is a property of its own, and every pair of them occurs")]
pub struct Field {
    /// Its name in requests.
    pub name: FieldName,
    /// Its label in forms.
    pub title: String,
    /// A sentence of help.
    pub description: Option<String>,
    /// What it holds.
    pub kind: FieldKind,
    /// Whether it is kept in the vault and never returned.
    pub secret: bool,
    /// Whether a connection needs it.
    pub required: bool,
    /// Fields and values of which every one makes it required; empty if none do.
    pub required_when: Vec<(FieldName, Value)>,
    /// Whether changing it moves the credential to another place (`x-destination`).
    pub destination: bool,
    /// A pattern every value matches; part of the schema.
    pub pattern: Option<String>,
    /// A documented shape. It helps forms and never refuses a value.
    pub hint: Option<String>,
    /// The domain after a subdomain, or those a base URL must lie under (each with its leading dot).
    pub domains: Vec<String>,
    /// The smallest and the largest whole number.
    pub range: (Option<i64>, Option<i64>),
    /// The fewest and the most characters.
    pub length: (Option<u32>, Option<u32>),
    /// What an empty input shows.
    pub placeholder: Option<String>,
    /// Values that may be shown.
    pub examples: Vec<Value>,
    /// The value that counts when none is given.
    pub default: Option<Value>,
    /// The environment variable that carries it to the agent.
    pub env: Option<EnvName>,
    /// Whether it is kept only for those who filled it in before.
    pub deprecated: bool,
    pub(crate) export: Option<Export>,
}

impl Field {
    /// Checks the value of a destination field against the networks this installation calls.
    ///
    /// # Errors
    ///
    /// What to change, in words that do not repeat the value.
    pub fn check_destination(&self, value: &str, policy: &NetworkPolicy) -> Result<(), &'static str> {
        match &self.kind {
            FieldKind::BaseUrl => destination::check_base_url(value, &self.domains, policy),
            FieldKind::Host => destination::check_host(value, policy),
            FieldKind::Subdomain => destination::parse_label(value).map(drop),
            FieldKind::HostUnder(domains) => destination::parse_host_under(value, domains).map(drop),
            FieldKind::Text
            | FieldKind::Choice(_)
            | FieldKind::Integer
            | FieldKind::Boolean
            | FieldKind::Email
            | FieldKind::Uuid
            | FieldKind::Url
            | FieldKind::Json
            | FieldKind::Pem
            | FieldKind::Yaml => Ok(()),
        }
    }

    /// Checks a value's form: what its type and length ask for, and that it holds nothing invisible.
    ///
    /// Choices, numbers and patterns are the schema's to check, destinations those of
    /// [`check_destination`](Self::check_destination).
    ///
    /// # Errors
    ///
    /// What to change, in words that do not repeat the value.
    pub fn check_form(&self, value: &str) -> Result<(), &'static str> {
        if value.contains('\0') {
            return Err("must not hold a NUL character");
        }
        if !self.kind.is_multiline() && value.chars().any(char::is_control) {
            return Err("must not hold control characters");
        }
        self.check_length(value)?;
        match self.kind {
            FieldKind::Url => check_url(value),
            FieldKind::Json if serde_json::from_str::<serde::de::IgnoredAny>(value).is_err() => {
                Err("must be a JSON document")
            }
            FieldKind::Pem if !value.contains("-----BEGIN ") => Err("must be PEM text, with its BEGIN and END lines"),
            _ => Ok(()),
        }
    }

    fn check_length(&self, value: &str) -> Result<(), &'static str> {
        let length = value.chars().count();
        let within = |limit: Option<u32>| limit.and_then(|limit| usize::try_from(limit).ok());
        if within(self.length.0).is_some_and(|shortest| length < shortest) {
            return Err("is too short");
        }
        if within(self.length.1).is_some_and(|longest| length > longest) {
            return Err("is too long");
        }
        Ok(())
    }

    /// What the field's variable is set to for this value.
    pub(crate) fn exported(&self, value: Secret) -> Secret {
        match &self.export {
            None => value,
            Some(Export::Around(before, after)) => {
                let pieces = [Secret::new(before.clone()), value, Secret::new(after.clone())];
                crate::template::join(&pieces)
            }
            Some(Export::Map(map)) => map.get(value.expose()).map_or(value, |word| Secret::new(word.clone())),
        }
    }
}

fn check_url(value: &str) -> Result<(), &'static str> {
    let url = Url::parse(value).map_err(|_| "is not a URL")?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
        return Err("must be an http or https URL");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must not hold a user name or password");
    }
    Ok(())
}
