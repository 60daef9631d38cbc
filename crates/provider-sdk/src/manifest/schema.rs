//! The JSON Schema of `config`.

use serde_json::{Map, Value, json};

use super::Field;
use super::field::FieldKind;

/// No control character in one line, and no NUL anywhere.
const ONE_LINE: &str = r"^[^\x00-\x1f\x7f]*$";
const LINES: &str = r"^[^\x00]*$";
const LABEL: &str = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";

/// The schema (draft 2020-12) of these fields.
pub(crate) fn schema<'a>(fields: impl Iterator<Item = &'a Field>) -> Value {
    let fields: Vec<&Field> = fields.collect();
    let property = |field: &&Field| (field.name.to_string(), property(field));
    let required = fields.iter().filter(|field| field.required).map(|field| field.name.as_str());
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": fields.iter().map(property).collect::<Map<_, _>>(),
        "required": required.collect::<Vec<_>>(),
        "additionalProperties": false,
    });
    let conditions: Vec<Value> = fields.iter().filter_map(|field| condition(field, &fields)).collect();
    if !conditions.is_empty() {
        set(&mut schema, "allOf", Value::Array(conditions));
    }
    schema
}

fn property(field: &Field) -> Value {
    let mut property = json!({ "title": field.title });
    let mut put = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            set(&mut property, key, value);
        }
    };
    put("description", field.description.clone().map(Value::String));
    put("default", field.default.clone());
    put("examples", (!field.examples.is_empty()).then(|| Value::Array(field.examples.clone())));
    put("minimum", field.range.0.map(Value::from));
    put("maximum", field.range.1.map(Value::from));
    put("minLength", field.length.0.map(Value::from));
    put("maxLength", field.length.1.map(Value::from));
    put("deprecated", field.deprecated.then_some(Value::Bool(true)));
    put("writeOnly", field.secret.then_some(Value::Bool(true)));
    put("x-destination", field.destination.then_some(Value::Bool(true)));
    put("x-hint", field.hint.clone().map(Value::String));
    put("x-placeholder", field.placeholder.clone().map(Value::String));
    for (key, value) in type_members(field) {
        set(&mut property, key, value);
    }
    property
}

/// The members that follow from a field's type.
fn type_members(field: &Field) -> Vec<(&'static str, Value)> {
    let mut members = match &field.kind {
        FieldKind::Integer => return vec![("type", json!("integer"))],
        FieldKind::Boolean => return vec![("type", json!("boolean"))],
        FieldKind::Choice(options) => return vec![("type", json!("string")), ("enum", json!(options))],
        FieldKind::Text | FieldKind::Host => Vec::new(),
        FieldKind::Email => vec![("format", json!("email"))],
        FieldKind::Uuid => vec![("format", json!("uuid"))],
        FieldKind::Url | FieldKind::BaseUrl => vec![("format", json!("uri"))],
        FieldKind::Subdomain => vec![("x-suffix", json!(field.domains.first()))],
        FieldKind::HostUnder(domains) => vec![("x-suffixes", json!(domains))],
        FieldKind::Json => vec![("contentMediaType", json!("application/json"))],
        FieldKind::Pem => vec![("contentMediaType", json!("application/x-pem-file"))],
        FieldKind::Yaml => vec![("contentMediaType", json!("application/yaml"))],
    };
    members.push(("type", json!("string")));
    members.extend(patterns(field));
    members
}

/// The field's own pattern, and the one its type asks for.
fn patterns(field: &Field) -> Vec<(&'static str, Value)> {
    let own = field.pattern.clone();
    let by_type = match &field.kind {
        FieldKind::Subdomain => format!("^{LABEL}$"),
        FieldKind::HostUnder(domains) => {
            let domains: Vec<String> = domains.iter().map(|domain| domain.replace('.', r"\.")).collect();
            format!(r"^{LABEL}(?:\.{LABEL})*(?:{})$", domains.join("|"))
        }
        kind if kind.is_multiline() => LINES.to_owned(),
        _ => ONE_LINE.to_owned(),
    };
    match own {
        None => vec![("pattern", Value::String(by_type))],
        Some(own) => vec![("pattern", Value::String(own)), ("allOf", json!([{ "pattern": by_type }]))],
    }
}

/// The condition under which a field is required. A default of another field counts as its value, so the condition
/// holds for an absent member exactly when its default has the value.
fn condition(field: &Field, fields: &[&Field]) -> Option<Value> {
    if field.required_when.is_empty() {
        return None;
    }
    let default = |name: &str| fields.iter().find(|other| other.name.as_str() == name)?.default.clone();
    let constants = field.required_when.iter().map(|(name, value)| (name.to_string(), json!({ "const": value })));
    let must_be_given =
        field.required_when.iter().filter(|(name, value)| default(name.as_str()).as_ref() != Some(value));
    let given: Vec<&str> = must_be_given.map(|(name, _)| name.as_str()).collect();
    Some(json!({
        "if": { "properties": constants.collect::<Map<_, _>>(), "required": given },
        "then": { "required": [field.name.as_str()] },
    }))
}

fn set(schema: &mut Value, key: &str, value: Value) {
    if let Value::Object(members) = schema {
        members.insert(key.to_owned(), value);
    }
}
