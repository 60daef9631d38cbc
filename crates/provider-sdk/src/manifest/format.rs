//! The manifest file, key by key.
//!
//! A manifest is one TOML file. Each struct here is one table of it, and each member one key; a key that is not
//! listed is refused, so that a typing error is found when the file is read and not when a person connects.
//!
//! The smallest manifest that can be connected and tested:
//!
//! ```toml
//! id = "acme"
//! name = "Acme"
//! category = "productivity"
//! description = "Reads and writes Acme tasks."
//! docs_url = "https://developers.acme.example/rest"
//! auth_type = "token"
//!
//! [[fields]]
//! name = "api_token"
//! title = "API token"
//! secret = true
//! env = "ACME_API_TOKEN"
//!
//! [test]
//! url = "https://api.acme.example/v1/me"
//! headers = { Authorization = "Bearer {api_token}" }
//! success = { json = [{ pointer = "/id", type = "string" }] }
//! account = ["/name", "/id"]
//! ```
//!
//! # Templates
//!
//! URLs, header values, bodies and environment values are templates: `{name}` stands for a field, an entry of
//! `[vars]`, or a value saved from an earlier answer. All names share one namespace, and a name that does not exist is
//! refused when the file is read. A brace that does not enclose a name is an ordinary brace, except in a URL or a
//! header, where it is refused. A value is escaped for the place it stands in: as a path segment, a query or form value,
//! a JSON string, or checked to be header text.
//!
//! A header, a query parameter, a form entry or an MCP variable whose template names an optional field that was left
//! empty is left out. Anywhere else a missing value ends the test as unverifiable.
//!
//! A host is never built from free text. In the host part of a URL only these may stand: a `base_url` field at the very
//! beginning, a `host` or `host_under` field as the whole host, a `subdomain` field in front of its domain, a `choice`
//! field, and entries of `[vars]` made by `map`, `label` or `after_last`.
//!
//! # Patterns
//!
//! Patterns are ASCII regular expressions every engine reads alike: literals, `.`, classes, `\d`, `\w`, `\s` and their
//! opposites, groups `(...)` and `(?:...)`, `|`, the quantifiers `* + ? {n} {n,} {n,m}`, `^` and `$`, and `\` before
//! punctuation. There is no look-around, no back-reference, no flag and no `\b`.

mod case;
mod field;
mod mcp;
mod test;
mod vector;
mod webhook;

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use toml::Spanned;

use super::AuthType;

pub use case::{AnswerEntry, CaseEntry, ExampleBlock, Expectation};
pub use field::{FieldEntry, FieldType};
pub use mcp::{McpBlock, McpEntry, Registry};
pub use test::{
    AlternativeEntry, BasicEntry, FailureEntry, HeaderCheck, JsonCheck, JsonKind, MethodName, Reason, RemarkEntry,
    RetryAfterEntry, ShapeEntry, Status, StepEntry, SuccessEntry, TestBlock, TimeUnit,
};
pub use vector::{ReplyEntry, VectorEntry};
pub use webhook::{
    BodyForm, HandshakeEntry, KeyEncoding, ListEntry, LocatorEntry, MatchEntry, ReplyForm, SchemeName,
    SignatureEncoding, StampUnit, TimestampEntry, VerifyBlock, WebhookBlock,
};

/// Text, with its place in the file.
pub type Text = Spanned<String>;

/// A whole manifest file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManifestFile {
    /// The provider's id: lower-case letters, digits and hyphens. It never changes once people have connected.
    pub id: Text,
    /// `true`: this manifest takes the place of the built-in provider with its id. Connections to that one become
    /// connections to this one, so its fields should keep their names. Refused where there is no such provider.
    #[serde(default)]
    pub replaces_built_in: bool,
    /// The name a person knows it by.
    pub name: Text,
    /// An icon's name. The id, unless given.
    pub icon: Option<String>,
    /// The category it is listed under, such as `developer-tools` or `communication`.
    pub category: Text,
    /// One sentence on what an agent can do with it.
    pub description: Text,
    /// The vendor's documentation, an `https` URL.
    pub docs_url: Text,
    /// How the credential is used.
    pub auth_type: AuthType,
    /// What an agent can do: any of `read`, `write` and `oauth`. `webhook` and `mcp` follow from their tables.
    #[serde(default)]
    pub capabilities: Vec<Text>,
    /// Sets of fields of which one must be complete, where several ways to authenticate exist:
    /// `[["access_token"], ["client_id", "client_secret"]]`.
    #[serde(default)]
    pub requires_one_of: Vec<Vec<Text>>,
    /// What a person enters, in the order a form shows it. The first is the token, unless `auth_type` is `none`.
    #[serde(default)]
    pub fields: Vec<FieldEntry>,
    /// Values derived from fields, for use in templates.
    #[serde(default)]
    pub vars: BTreeMap<Text, VarEntry>,
    /// How a connection is tested: one table, or an array of tables of which the first whose `when` holds is used.
    pub test: Spanned<Tests>,
    /// The MCP server that gives an agent this provider's tools.
    pub mcp: Option<Spanned<McpBlock>>,
    /// How webhooks from this provider are verified.
    pub webhook: Option<Spanned<WebhookBlock>>,
    /// Values every one of which validates: for documentation and for the cases below.
    pub example: Option<ExampleBlock>,
    /// Recorded answers and what a test must make of them.
    #[serde(default)]
    pub cases: Vec<CaseEntry>,
}

/// One `[test]`, or several `[[test]]`.
#[derive(Debug)]
pub struct Tests(pub Vec<TestBlock>);

impl<'de> Deserialize<'de> for Tests {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        one_or_many(deserializer).map(Self)
    }
}

/// A value derived from a field. Exactly one of `map`, `label`, `after_last`, `percent_encoded` and `base64` is given.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VarEntry {
    /// The field it is derived from. Not given with `base64`.
    pub from: Option<Text>,
    /// What the value counts as when the field is empty.
    pub default: Option<Text>,
    /// A table from the field's values to this one's: `{ us = "api.acme.example", eu = "api.eu.acme.example" }`.
    /// Every option of a choice must be in it. It may stand in a host.
    pub map: Option<BTreeMap<String, Text>>,
    /// `true`: the value in lower case, which must then be one label of a host name. It may stand in a host.
    #[serde(default)]
    pub label: bool,
    /// What follows the last of these characters, which must be one label of a host name: `-` makes `us6` of
    /// `0123abcd-us6`. It may stand in a host.
    pub after_last: Option<Text>,
    /// `true`: the value percent-encoded, for a template that is itself a URL, such as a connection string. The URL of a
    /// request needs none of this: what stands in it is escaped anyway.
    #[serde(default)]
    pub percent_encoded: bool,
    /// The Base64 of this template, for credentials in pairs: `"{user}:{password}"`.
    pub base64: Option<Text>,
}

/// When something applies. All that is given must hold.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WhenEntry {
    /// Fields that have these values (a default counts): `{ deployment = "cloud" }`.
    #[serde(default)]
    pub equals: BTreeMap<Text, toml::Value>,
    /// Fields that are filled in (a default does not count).
    #[serde(default)]
    pub set: Vec<Text>,
    /// Fields that are empty (a default does not count).
    #[serde(default)]
    pub unset: Vec<Text>,
    /// Fields whose values begin with these texts: `{ bot_token = "xoxp-" }`.
    #[serde(default)]
    pub prefix: BTreeMap<Text, String>,
}

/// Reads `x` and `[x, y]` alike, without giving up on saying where an error lies.
pub(crate) fn one_or_many<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    struct OneOrMany<T>(std::marker::PhantomData<T>);

    impl<'de, T: Deserialize<'de>> serde::de::Visitor<'de> for OneOrMany<T> {
        type Value = Vec<T>;

        fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            formatter.write_str("one or an array of them")
        }

        fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<Vec<T>, A::Error> {
            T::deserialize(serde::de::value::MapAccessDeserializer::new(map)).map(|one| vec![one])
        }

        fn visit_seq<A: serde::de::SeqAccess<'de>>(self, sequence: A) -> Result<Vec<T>, A::Error> {
            Vec::deserialize(serde::de::value::SeqAccessDeserializer::new(sequence))
        }

        fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Vec<T>, E> {
            T::deserialize(serde::de::value::I64Deserializer::new(number)).map(|one| vec![one])
        }

        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Vec<T>, E> {
            T::deserialize(serde::de::value::StrDeserializer::new(text)).map(|one| vec![one])
        }
    }

    deserializer.deserialize_any(OneOrMany(std::marker::PhantomData))
}

/// Reads one text or several, each with the place of the whole.
pub(crate) fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Text>, D::Error> {
    struct Plain(Vec<String>);

    impl<'de> Deserialize<'de> for Plain {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            one_or_many(deserializer).map(Self)
        }
    }

    let plain = Spanned::<Plain>::deserialize(deserializer)?;
    let span = plain.span();
    Ok(plain.into_inner().0.into_iter().map(|text| Spanned::new(span.clone(), text)).collect())
}
