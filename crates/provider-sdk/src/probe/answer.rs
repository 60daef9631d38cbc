//! An answer, read once.

use serde_json::Value;

use crate::Response;

/// An answer, and its body as JSON if it is some.
pub(super) struct Answer {
    pub(super) response: Response,
    pub(super) json: Option<Value>,
}

impl Answer {
    pub(super) fn new(response: Response) -> Self {
        let json = serde_json::from_slice(&response.body).ok();
        Self { response, json }
    }

    pub(super) const fn status(&self) -> u16 {
        self.response.status
    }

    /// What is at a JSON Pointer.
    pub(super) fn at(&self, pointer: &str) -> Option<&Value> {
        self.json.as_ref()?.pointer(pointer)
    }

    /// The text, number or boolean at a JSON Pointer, as text.
    pub(super) fn scalar_at(&self, pointer: &str) -> Option<String> {
        scalar(self.at(pointer)?)
    }
}

pub(super) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}
