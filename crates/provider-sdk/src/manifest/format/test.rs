//! `[test]`: how a connection is tested.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::{Text, WhenEntry, one_or_many};

/// One way to test a connection: `[test]`, or each `[[test]]`.
///
/// It is a request (`url`), the shape of a URL that must not be called (`shape`), or the provider crate's own (`code`).
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestBlock {
    /// When this way is used. The last `[[test]]` has none.
    pub when: Option<WhenEntry>,
    /// The URL to ask: something only a valid credential gets, and nothing that changes anything.
    pub url: Option<Text>,
    /// The method. `GET` unless given.
    #[serde(default)]
    pub method: MethodName,
    /// Why the request changes nothing. Required for every method but `GET` and `HEAD`.
    pub read_only_because: Option<Text>,
    /// Headers. `Accept: application/json` and a `User-Agent` are sent unless given here.
    #[serde(default)]
    pub headers: BTreeMap<Text, Text>,
    /// HTTP Basic credentials.
    pub basic: Option<BasicEntry>,
    /// Query parameters, besides those in the URL.
    #[serde(default)]
    pub query: BTreeMap<String, Text>,
    /// A JSON body; texts in it are templates. At most one of `json`, `form` and `text` is given.
    pub json: Option<Spanned<toml::Value>>,
    /// A form body.
    pub form: Option<BTreeMap<String, Text>>,
    /// Any other body, sent as it is; `Content-Type` belongs into `headers`. An empty one is `""`.
    pub text: Option<Text>,
    /// Requests that must succeed first, such as a token exchange: `[[test.before]]`.
    #[serde(default)]
    pub before: Vec<StepEntry>,
    /// What an answer must be to prove the credential.
    pub success: Option<Spanned<SuccessEntry>>,
    /// What names the account behind the credential: JSON Pointers into the answer (`"/login"`), or texts with
    /// pointers, answer headers and public fields in braces (`"{/name} ({/team})"`, `"{header:x-org}"`, `"{username}"`).
    /// The first of which every part has a value is shown.
    #[serde(default)]
    pub account: Vec<Text>,
    /// How this service says no, where it differs from HTTP's own words: `[[test.failures]]`.
    #[serde(default)]
    pub failures: Vec<FailureEntry>,
    /// What is worth saying about a credential that works: `[[test.remarks]]`.
    #[serde(default)]
    pub remarks: Vec<RemarkEntry>,
    /// What else to ask when the service answered in one of these ways: `[[test.alternatives]]`.
    #[serde(default)]
    pub alternatives: Vec<AlternativeEntry>,
    /// The shape of a URL that must not be called, because every call does something.
    pub shape: Option<Spanned<ShapeEntry>>,
    /// `true`: the provider crate tests in code. `method` and `read_only_because` then say what its requests are.
    #[serde(default)]
    pub code: bool,
}

/// A request that must succeed before the one that proves the credential: `[[test.before]]`.
///
/// Its keys mean what they mean in `[test]`. Nothing is inherited.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepEntry {
    /// When the step is taken.
    pub when: Option<WhenEntry>,
    /// The URL.
    pub url: Text,
    /// The method. `GET` unless given.
    #[serde(default)]
    pub method: MethodName,
    /// Why the request changes nothing at the service.
    pub read_only_because: Option<Text>,
    /// Headers.
    #[serde(default)]
    pub headers: BTreeMap<Text, Text>,
    /// HTTP Basic credentials.
    pub basic: Option<BasicEntry>,
    /// Query parameters.
    #[serde(default)]
    pub query: BTreeMap<String, Text>,
    /// A JSON body.
    pub json: Option<Spanned<toml::Value>>,
    /// A form body.
    pub form: Option<BTreeMap<String, Text>>,
    /// Any other body.
    pub text: Option<Text>,
    /// Values to keep for later templates, as names and JSON Pointers: `{ access_token = "/access_token" }`. Each
    /// must be in the answer, or the step has failed. They count as secrets.
    #[serde(default)]
    pub save: BTreeMap<Text, Text>,
    /// What the answer must be. A step that saves something needs none.
    pub success: Option<Spanned<SuccessEntry>>,
    /// How the service says no to this step.
    #[serde(default)]
    pub failures: Vec<FailureEntry>,
}

/// Something else to ask when the answer so far does not decide: `[[test.alternatives]]`.
///
/// Headers, Basic credentials and failures are those of `[test]`, unless given here. The first whose `after` fits the
/// latest answer is asked; its outcome counts.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlternativeEntry {
    /// When it may be asked at all.
    pub when: Option<WhenEntry>,
    /// The statuses after which it is asked.
    #[serde(deserialize_with = "one_or_many")]
    pub after: Vec<Status>,
    /// The URL.
    pub url: Text,
    /// The method. `GET` unless given.
    #[serde(default)]
    pub method: MethodName,
    /// Why the request changes nothing.
    pub read_only_because: Option<Text>,
    /// Headers in place of those of `[test]`.
    pub headers: Option<BTreeMap<Text, Text>>,
    /// HTTP Basic credentials in place of those of `[test]`.
    pub basic: Option<BasicEntry>,
    /// Query parameters.
    #[serde(default)]
    pub query: BTreeMap<String, Text>,
    /// A JSON body.
    pub json: Option<Spanned<toml::Value>>,
    /// What the answer must be.
    pub success: Option<Spanned<SuccessEntry>>,
    /// What names the account.
    #[serde(default)]
    pub account: Vec<Text>,
    /// How the service says no, in place of the failures of `[test]`.
    pub failures: Option<Vec<FailureEntry>>,
    /// What is worth saying if this is what proved the credential.
    pub advice: Option<Text>,
}

/// The methods a test may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum MethodName {
    /// GET.
    #[default]
    Get,
    /// HEAD.
    Head,
    /// POST.
    Post,
}

/// An HTTP status, 100 to 599.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "u16")]
pub struct Status(pub u16);

impl TryFrom<u16> for Status {
    type Error = &'static str;

    fn try_from(status: u16) -> Result<Self, &'static str> {
        if (100..600).contains(&status) { Ok(Self(status)) } else { Err("a status is a number from 100 to 599") }
    }
}

/// HTTP Basic credentials, both parts templates.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BasicEntry {
    /// The user name; it may not come to hold a colon.
    pub username: Text,
    /// The password.
    pub password: Text,
}

/// What an answer must be: `success`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SuccessEntry {
    /// The statuses. `200` unless given.
    #[serde(default, deserialize_with = "one_or_many")]
    pub status: Vec<Status>,
    /// What must be true of the JSON answer. A proof needs at least one such check: a status alone is also what a
    /// login page, a proxy, or a service that takes anonymous requests answers.
    #[serde(default, deserialize_with = "one_or_many")]
    pub json: Vec<JsonCheck>,
    /// What must be true of the answer's headers.
    #[serde(default, deserialize_with = "one_or_many")]
    pub headers: Vec<HeaderCheck>,
    /// Why the status alone is proof, for the rare service with nothing else in its answer.
    pub status_is_proof_because: Option<Text>,
}

/// A check of one place in a JSON answer. Exactly one check is given beside the pointer.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JsonCheck {
    /// A JSON Pointer; `""` is the whole answer.
    pub pointer: Text,
    /// It is this text, number or boolean.
    pub equals: Option<toml::Value>,
    /// It is there and is not this text, number or boolean.
    pub differs_from: Option<toml::Value>,
    /// It is one of these.
    pub one_of: Option<Vec<toml::Value>>,
    /// It is the value of this field, as text or as a number.
    pub equals_field: Option<Text>,
    /// It is a text that holds this one, or an array that holds this value.
    pub contains: Option<toml::Value>,
    /// It is there (`true`), or it is not (`false`). `null` is there.
    pub exists: Option<bool>,
    /// It is absent or `null` (`true`), or it is there and not `null` (`false`).
    pub null: Option<bool>,
    /// It is an empty array, object or text (`true`), or one that is not empty (`false`).
    pub empty: Option<bool>,
    /// It is of this type.
    #[serde(rename = "type")]
    pub kind: Option<JsonKind>,
}

/// The types of JSON values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JsonKind {
    /// A text.
    String,
    /// A number without a fraction.
    Integer,
    /// A number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// An array.
    Array,
    /// An object.
    Object,
}

/// A check of one header of an answer. Exactly one check is given beside the name.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeaderCheck {
    /// The header's name, in any case.
    pub name: Text,
    /// It has this value.
    pub equals: Option<String>,
    /// Its value holds this text.
    pub contains: Option<String>,
    /// It is there (`true`), or it is not (`false`).
    pub exists: Option<bool>,
}

/// One way this service says no: `[[test.failures]]`. The first that fits decides, before HTTP's own words do.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FailureEntry {
    /// The statuses. Any, unless given.
    #[serde(default, deserialize_with = "one_or_many")]
    pub status: Vec<Status>,
    /// What is true of the JSON answer.
    #[serde(default, deserialize_with = "one_or_many")]
    pub json: Vec<JsonCheck>,
    /// What is true of the answer's headers.
    #[serde(default, deserialize_with = "one_or_many")]
    pub headers: Vec<HeaderCheck>,
    /// What it means.
    pub reason: Spanned<Reason>,
    /// What a person should do: one sentence of ours.
    pub advice: Option<Text>,
    /// Where the answer says how long to wait, if not in `Retry-After`.
    pub retry_after: Option<RetryAfterEntry>,
}

/// What a failure means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The credential is wrong, expired or revoked.
    Auth,
    /// The credential is good but may not do what the test does.
    Scope,
    /// What the configuration names does not exist there.
    NotFound,
    /// Too many requests.
    RateLimited,
    /// The service failed.
    UpstreamError,
}

/// Where an answer says how long to wait. Exactly one of `header` and `pointer` is given.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetryAfterEntry {
    /// A header.
    pub header: Option<Text>,
    /// A JSON Pointer.
    pub pointer: Option<Text>,
    /// What the number counts. `seconds` unless given.
    #[serde(default)]
    pub unit: TimeUnit,
}

/// What a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeUnit {
    /// Seconds from now.
    #[default]
    Seconds,
    /// Milliseconds from now.
    Milliseconds,
    /// The second since 1970 at which the wait is over.
    UnixSeconds,
}

/// Something worth saying about a credential that works: `[[test.remarks]]`. The first that fits is said.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RemarkEntry {
    /// What is true of the JSON answer.
    #[serde(default, deserialize_with = "one_or_many")]
    pub json: Vec<JsonCheck>,
    /// What is true of the answer's headers.
    #[serde(default, deserialize_with = "one_or_many")]
    pub headers: Vec<HeaderCheck>,
    /// The sentence.
    pub advice: Text,
}

/// The shape of a URL that must not be called: `shape`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShapeEntry {
    /// The `url` field that holds it.
    pub field: Text,
    /// Hosts it may name. With neither `hosts` nor `domains` it may name any.
    #[serde(default)]
    pub hosts: Vec<Text>,
    /// Domains its host may lie under.
    #[serde(default)]
    pub domains: Vec<Text>,
    /// A pattern for the path.
    pub path: Option<Text>,
    /// Whether to see if the host resolves and takes a TLS connection. Nothing is sent over it.
    #[serde(default)]
    pub reachable: bool,
    /// What is said of a URL whose shape is right: why it was not called, and how to see that it works.
    pub advice: Text,
}
