//! From the values of TOML to those of JSON.

use serde_json::{Map, Value};

/// A text, whole number or boolean as text.
pub(crate) fn scalar(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Boolean(flag) => Some(flag.to_string()),
        toml::Value::Float(_) | toml::Value::Datetime(_) | toml::Value::Array(_) | toml::Value::Table(_) => None,
    }
}

/// The JSON value with the same content. Dates have none: they are written as texts.
pub(crate) fn json(value: &toml::Value) -> Result<Value, String> {
    Ok(match value {
        toml::Value::String(text) => Value::String(text.clone()),
        toml::Value::Integer(number) => Value::from(*number),
        toml::Value::Float(number) => Value::from(*number),
        toml::Value::Boolean(flag) => Value::Bool(*flag),
        toml::Value::Array(items) => Value::Array(items.iter().map(json).collect::<Result<_, _>>()?),
        toml::Value::Table(table) => {
            let members = table.iter().map(|(name, value)| Ok((name.clone(), json(value)?)));
            Value::Object(members.collect::<Result<Map<_, _>, String>>()?)
        }
        toml::Value::Datetime(_) => return Err("a date is written as text, in quotation marks".to_owned()),
    })
}

/// The JSON value, if it is a text, number or boolean.
pub(crate) fn json_scalar(value: &toml::Value) -> Result<Value, String> {
    match json(value)? {
        Value::Array(_) | Value::Object(_) => Err("only a text, a number or a boolean may stand here".to_owned()),
        scalar => Ok(scalar),
    }
}
