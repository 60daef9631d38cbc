//! What a manifest is tried with.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::Value;

use super::error::{Checked, Problem};
use super::format::{AnswerEntry, CaseEntry, Expectation, ManifestFile, Text};
use super::{Field, fields, json_scalar};
use crate::{Rejection, Response, Unreachable, Verdict};

/// Values of a connection, by field.
pub type Values = BTreeMap<String, Value>;

/// One recorded exchange, and what a test must make of it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Case {
    /// What is tried.
    pub name: String,
    /// The values of the connection, by field.
    pub values: Values,
    /// What the service answers, request by request.
    pub answers: Vec<Answer>,
    /// How the test must end.
    pub verdict: Verdict,
    /// The account the test must show.
    pub account: Option<String>,
    /// Text the advice must hold.
    pub advice: Option<String>,
    /// The requests the test must make, as method and URL; not compared if empty.
    pub requests: Vec<String>,
}

/// A recorded answer.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Headers; the names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
}

impl Answer {
    /// The answer as a client returns it.
    pub fn response(&self) -> Response {
        Response { status: self.status, headers: self.headers.clone(), body: self.body.clone() }
    }
}

/// Loads the example and the cases.
pub(crate) fn load(file: &ManifestFile, known: &[Field]) -> Checked<(Option<Values>, Vec<Case>)> {
    let example = file.example.as_ref().map(|example| load_values(&example.values, known)).transpose()?;
    if let (None, Some(case)) = (&example, file.cases.first()) {
        return Err(Problem::with(&case.name, "cases need the values of an `[example]`"));
    }
    let base = example.clone().unwrap_or_default();
    let cases = file.cases.iter().map(|case| load_case(case, &base, known)).collect::<Checked<_>>()?;
    Ok((example, cases))
}

fn load_values(entries: &BTreeMap<Text, toml::Value>, known: &[Field]) -> Checked<Values> {
    entries.iter().map(|(name, value)| load_value(name, value, known)).collect()
}

fn load_value(name: &Text, value: &toml::Value, known: &[Field]) -> Checked<(String, Value)> {
    let field = known.iter().find(|field| field.name.as_str() == name.get_ref());
    let field = field.ok_or_else(|| Problem::with(name, format!("there is no field `{}`", name.get_ref())))?;
    let value = json_scalar(value).map_err(|reason| Problem::with(name, reason))?;
    if let Value::String(text) = &value {
        fields::check_text(text, field).map_err(|detail| Problem::with(name, format!("the value {detail}")))?;
    }
    Ok((name.get_ref().clone(), value))
}

fn load_case(entry: &CaseEntry, base: &Values, known: &[Field]) -> Checked<Case> {
    let mut values = base.clone();
    for (name, value) in load_values(&entry.values, known)? {
        if value.as_str().is_some_and(str::is_empty) {
            values.remove(&name);
        } else {
            values.insert(name, value);
        }
    }
    if entry.account.is_some() && entry.expect != Expectation::Verified {
        return Err(Problem::with(&entry.name, "only a verified connection shows an account"));
    }
    Ok(Case {
        name: entry.name.get_ref().clone(),
        values,
        answers: entry.answers.iter().map(load_answer).collect::<Checked<_>>()?,
        verdict: verdict(entry.expect),
        account: entry.account.clone(),
        advice: entry.advice.clone(),
        requests: entry.requests.clone(),
    })
}

fn load_answer(entry: &AnswerEntry) -> Checked<Answer> {
    let body = match (&entry.json, &entry.text) {
        (Some(json), None) => {
            let parsed: Result<Value, _> = serde_json::from_str(json.get_ref());
            parsed.map_err(|error| Problem::with(json, format!("the body is not JSON: {error}")))?;
            json.get_ref().clone()
        }
        (Some(json), Some(_)) => return Err(Problem::with(json, "an answer has one body")),
        (None, text) => text.clone().unwrap_or_default(),
    };
    let mut headers: Vec<(String, String)> =
        entry.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone())).collect();
    if entry.json.is_some() && !headers.iter().any(|(name, _)| name == "content-type") {
        headers.push(("content-type".to_owned(), "application/json".to_owned()));
    }
    Ok(Answer { status: entry.status.map_or(200, |status| status.0), headers, body: body.into() })
}

const fn verdict(expectation: Expectation) -> Verdict {
    match expectation {
        Expectation::Verified => Verdict::Verified,
        Expectation::Unverifiable => Verdict::Unverifiable,
        Expectation::Auth => Verdict::Rejected(Rejection::Auth),
        Expectation::Scope => Verdict::Rejected(Rejection::Scope),
        Expectation::NotFound => Verdict::Rejected(Rejection::NotFound),
        Expectation::RateLimited => Verdict::Unreachable(Unreachable::RateLimited),
        Expectation::UpstreamError => Verdict::Unreachable(Unreachable::UpstreamError),
    }
}
