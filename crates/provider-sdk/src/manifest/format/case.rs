//! `[example]` and `[[cases]]`: what the manifest is tried with.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Status, Text};

/// A connection that validates: `[example]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExampleBlock {
    /// Values by field. Invented ones: they are public.
    pub values: BTreeMap<Text, toml::Value>,
}

/// One recorded exchange, and what a test must make of it: `[[cases]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseEntry {
    /// What is tried, in a few words.
    pub name: Text,
    /// Values that differ from the example's; an empty text takes a value away.
    #[serde(default)]
    pub values: BTreeMap<Text, toml::Value>,
    /// What the service answers, request by request.
    #[serde(default)]
    pub answers: Vec<AnswerEntry>,
    /// How the test must end.
    pub expect: Expectation,
    /// The account the test must show.
    pub account: Option<String>,
    /// Text the advice must hold.
    pub advice: Option<String>,
    /// The requests the test must make, as method and URL: `"GET https://api.acme.example/v1/me"`.
    #[serde(default)]
    pub requests: Vec<String>,
}

/// One answer: `[[cases.answers]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnswerEntry {
    /// The status. `200` unless given.
    pub status: Option<Status>,
    /// Headers.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// A JSON body, as the service writes it.
    pub json: Option<Text>,
    /// Any other body.
    pub text: Option<String>,
}

/// How a test ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expectation {
    /// `verified`.
    Verified,
    /// `unverifiable`.
    Unverifiable,
    /// `rejected`, with reason `auth`.
    Auth,
    /// `rejected`, with reason `scope`.
    Scope,
    /// `rejected`, with reason `not_found`.
    NotFound,
    /// `unreachable`, with reason `rate_limited`.
    RateLimited,
    /// `unreachable`, with reason `upstream_error`.
    UpstreamError,
}
