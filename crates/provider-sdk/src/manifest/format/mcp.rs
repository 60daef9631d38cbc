//! `[mcp]`: the server that gives an agent a provider's tools.

use std::collections::BTreeMap;

use serde::de::value::MapAccessDeserializer;
use serde::{Deserialize, Deserializer};
use toml::Spanned;

use super::{Text, WhenEntry};

/// An MCP server: `[mcp]`. Either `package` and `version`, or `url`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct McpBlock {
    /// The package that is the server.
    pub package: Option<Text>,
    /// Its exact version: what was looked at is what runs.
    pub version: Option<Text>,
    /// Where the package lives. `npm` unless given.
    pub registry: Option<Spanned<Registry>>,
    /// The program in a `pypi` package, where it is not called like the package.
    pub executable: Option<Text>,
    /// Arguments after the package. They show up in process lists, so no template in them may name a secret. One whose
    /// field is empty is left out.
    #[serde(default)]
    pub args: Vec<Text>,
    /// Environment variables of the process, as templates: `{ GITLAB_PERSONAL_ACCESS_TOKEN = "{token}" }`.
    #[serde(default)]
    pub env: BTreeMap<Text, McpEntry>,
    /// The URL of a server on the network that speaks streamable HTTP.
    pub url: Option<Text>,
    /// Headers for it, as templates.
    #[serde(default)]
    pub headers: BTreeMap<Text, McpEntry>,
    /// Optional fields without which the server is of no use.
    #[serde(default)]
    pub requires: Vec<Text>,
    /// Its documentation, an `https` URL.
    pub docs_url: Text,
    /// What to know before using it.
    #[serde(default)]
    pub notes: String,
}

/// A variable or header: a template, or a table with a condition.
#[derive(Debug)]
pub struct McpEntry {
    /// When it is set.
    pub when: Option<WhenEntry>,
    /// Its value.
    pub value: Text,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct McpEntryTable {
    when: Option<WhenEntry>,
    value: Text,
}

enum TextOrTable {
    Text(String),
    Table(McpEntryTable),
}

impl<'de> Deserialize<'de> for McpEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Spanned::<TextOrTable>::deserialize(deserializer)?;
        let span = value.span();
        Ok(match value.into_inner() {
            TextOrTable::Text(text) => Self { when: None, value: Spanned::new(span, text) },
            TextOrTable::Table(table) => Self { when: table.when, value: table.value },
        })
    }
}

impl<'de> Deserialize<'de> for TextOrTable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = TextOrTable;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("a template, or a table with `value` and `when`")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<TextOrTable, E> {
                Ok(TextOrTable::Text(text.to_owned()))
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<TextOrTable, A::Error> {
                McpEntryTable::deserialize(MapAccessDeserializer::new(map)).map(TextOrTable::Table)
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}

/// Where a package lives, and so how it is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Registry {
    /// The npm registry: `npx -y PACKAGE@VERSION`.
    #[default]
    Npm,
    /// The Python package index: `uvx PACKAGE@VERSION`.
    Pypi,
    /// A container image: `docker run -i --rm -e NAME ... PACKAGE:VERSION`.
    Container,
}
