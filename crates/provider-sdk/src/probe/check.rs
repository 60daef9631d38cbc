//! Checks of answers.

use serde_json::Value;

use super::answer::{Answer, scalar};
use crate::manifest::error::{Checked, Problem};
use crate::manifest::format::{self, JsonKind, Text};
use crate::manifest::{json_scalar, json_value};
use crate::template::{Lookup, Names};
use crate::values::Values;

/// A check of one place in a JSON answer.
#[derive(Debug, Clone)]
pub(super) struct JsonCheck {
    pointer: String,
    test: JsonTest,
}

#[derive(Debug, Clone)]
enum JsonTest {
    Equals(Value),
    DiffersFrom(Value),
    OneOf(Vec<Value>),
    EqualsField(String),
    Contains(Value),
    Exists(bool),
    Null(bool),
    Empty(bool),
    Type(JsonKind),
}

/// A check of one header.
#[derive(Debug, Clone)]
pub(super) struct HeaderCheck {
    name: String,
    test: HeaderTest,
}

#[derive(Debug, Clone)]
enum HeaderTest {
    Equals(String),
    Contains(String),
    Exists(bool),
}

impl JsonCheck {
    pub(super) fn parse(entry: &format::JsonCheck, names: &Names) -> Checked<Self> {
        let pointer = parse_pointer(&entry.pointer)?;
        let at = |reason: String| Problem::with(&entry.pointer, reason);
        let scalar = |value: &Option<toml::Value>| value.as_ref().map(json_scalar).transpose().map_err(at);
        let mut tests = Vec::new();
        tests.extend(scalar(&entry.equals)?.map(JsonTest::Equals));
        tests.extend(scalar(&entry.differs_from)?.map(JsonTest::DiffersFrom));
        tests.extend(scalar(&entry.contains)?.map(JsonTest::Contains));
        if let Some(values) = &entry.one_of {
            tests.push(JsonTest::OneOf(values.iter().map(json_value).collect::<Result<_, _>>().map_err(at)?));
        }
        if let Some(field) = &entry.equals_field {
            names.check(field.get_ref()).map_err(|reason| Problem::with(field, reason))?;
            tests.push(JsonTest::EqualsField(field.get_ref().clone()));
        }
        tests.extend(entry.exists.map(JsonTest::Exists));
        tests.extend(entry.null.map(JsonTest::Null));
        tests.extend(entry.empty.map(JsonTest::Empty));
        tests.extend(entry.kind.map(JsonTest::Type));
        match (tests.pop(), tests.is_empty()) {
            (Some(test), true) => Ok(Self { pointer, test }),
            _ => Err(at("a check is a pointer and exactly one of equals, differs_from, one_of, equals_field, contains, exists, null, empty and type".to_owned())),
        }
    }

    pub(super) fn holds(&self, answer: &Answer, values: &Values<'_>) -> bool {
        if answer.json.is_none() {
            return false;
        }
        let found = answer.at(&self.pointer);
        match &self.test {
            JsonTest::Exists(wanted) => found.is_some() == *wanted,
            JsonTest::Null(wanted) => found.is_none_or(Value::is_null) == *wanted,
            other => found.is_some_and(|found| other.holds_for(found, values)),
        }
    }
}

impl JsonTest {
    fn holds_for(&self, found: &Value, values: &Values<'_>) -> bool {
        match self {
            Self::Equals(value) => found == value,
            Self::DiffersFrom(value) => found != value,
            Self::OneOf(values) => values.contains(found),
            Self::EqualsField(name) => {
                let wanted = values.value(name);
                scalar(found).is_some_and(|found| wanted.is_ok_and(|wanted| wanted.expose() == found))
            }
            Self::Contains(value) => contains(found, value),
            Self::Empty(wanted) => is_empty(found) == Some(*wanted),
            Self::Type(kind) => is_of(found, *kind),
            Self::Exists(wanted) => *wanted,
            Self::Null(wanted) => found.is_null() == *wanted,
        }
    }
}

fn contains(found: &Value, wanted: &Value) -> bool {
    match (found, wanted) {
        (Value::String(found), Value::String(wanted)) => found.contains(wanted.as_str()),
        (Value::Array(items), wanted) => items.contains(wanted),
        _ => false,
    }
}

fn is_empty(found: &Value) -> Option<bool> {
    match found {
        Value::String(text) => Some(text.is_empty()),
        Value::Array(items) => Some(items.is_empty()),
        Value::Object(members) => Some(members.is_empty()),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

fn is_of(found: &Value, kind: JsonKind) -> bool {
    match kind {
        JsonKind::String => found.is_string(),
        JsonKind::Integer => found.is_i64() || found.is_u64(),
        JsonKind::Number => found.is_number(),
        JsonKind::Boolean => found.is_boolean(),
        JsonKind::Array => found.is_array(),
        JsonKind::Object => found.is_object(),
    }
}

impl HeaderCheck {
    pub(super) fn parse(entry: &format::HeaderCheck) -> Checked<Self> {
        let name = parse_header_name(&entry.name)?.to_ascii_lowercase();
        let test = match (&entry.equals, &entry.contains, entry.exists) {
            (Some(text), None, None) => HeaderTest::Equals(text.clone()),
            (None, Some(text), None) => HeaderTest::Contains(text.clone()),
            (None, None, Some(wanted)) => HeaderTest::Exists(wanted),
            _ => {
                let reason = "a check is a header's name and exactly one of equals, contains and exists";
                return Err(Problem::with(&entry.name, reason));
            }
        };
        Ok(Self { name, test })
    }

    pub(super) fn holds(&self, answer: &Answer) -> bool {
        let found = answer.response.header(&self.name);
        match &self.test {
            HeaderTest::Equals(text) => found == Some(text),
            HeaderTest::Contains(text) => found.is_some_and(|found| found.contains(text.as_str())),
            HeaderTest::Exists(wanted) => found.is_some() == *wanted,
        }
    }
}

/// Checks that a text is a JSON Pointer (RFC 6901).
pub(crate) fn parse_pointer(text: &Text) -> Checked<String> {
    let pointer = text.get_ref();
    let escapes_are_whole = pointer.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
    if (pointer.is_empty() || pointer.starts_with('/')) && escapes_are_whole {
        Ok(pointer.clone())
    } else {
        Err(Problem::with(
            text,
            "a JSON Pointer is empty or begins with `/`; `~` is written `~0` and `/` in a name `~1`",
        ))
    }
}

/// Checks that a text can be a header's name.
pub(crate) fn parse_header_name(text: &Text) -> Checked<&str> {
    let name = text.get_ref();
    if is_header_name(name) { Ok(name) } else { Err(Problem::with(text, "is no name of an HTTP header")) }
}

/// Whether a text can be a header's name: a token of RFC 9110.
pub(crate) fn is_header_name(name: &str) -> bool {
    let is_token = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte));
    is_token && !name.is_empty()
}
