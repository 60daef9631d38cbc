//! What is wrong with a request, in words that repeat nothing of it.

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind as Kind;
use nora_kernel::FieldName;

/// One thing that is wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// A JSON Pointer into the request.
    pub pointer: String,
    /// What to change. It never repeats a value.
    pub detail: String,
}

impl Violation {
    pub(crate) fn at(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), detail: detail.into() }
    }
}

/// What a schema says against `config`. The library's messages repeat the offending value, so the sentences here are
/// our own. `None` for a missing secret that is kept from before.
pub(crate) fn of_schema(error: &ValidationError<'_>, kept: &[&str]) -> Option<Violation> {
    let place = format!("/config{}", error.instance_path());
    let violation = match error.kind() {
        Kind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            if kept.contains(&name) {
                return None;
            }
            Violation::at(format!("{place}/{name}"), "is required")
        }
        Kind::AdditionalProperties { unexpected } => {
            let names = unexpected.iter().take(5).map(|name| shown(name)).collect::<Vec<_>>().join(", ");
            Violation::at(place, format!("has fields this provider does not know: {names}"))
        }
        Kind::Type { .. } => Violation::at(place, "has the wrong type"),
        Kind::Enum { options } => Violation::at(place, format!("must be one of {options}")),
        Kind::Pattern { pattern } => Violation::at(place, format!("must match {pattern}")),
        Kind::Format { format } => Violation::at(place, format!("must be a valid {format}")),
        Kind::MinLength { limit } => Violation::at(place, format!("must have at least {limit} characters")),
        Kind::MaxLength { limit } => Violation::at(place, format!("must have at most {limit} characters")),
        Kind::Minimum { limit } => Violation::at(place, format!("must be at least {limit}")),
        Kind::Maximum { limit } => Violation::at(place, format!("must be at most {limit}")),
        _ => Violation::at(place, "does not match the provider's config schema"),
    };
    Some(violation)
}

/// A field name a client made up, if it looks like one at all.
fn shown(name: &str) -> &str {
    if name.len() <= 40 && name.parse::<FieldName>().is_ok() { name } else { "(not a field name)" }
}

#[cfg(test)]
mod tests {
    use jsonschema::draft202012;
    use serde_json::{Value, json};

    use super::*;

    #[track_caller]
    fn check(schema: &Value, config: &Value, expected: &str) {
        let validator = draft202012::new(schema).unwrap();
        let told: Vec<_> = validator.iter_errors(config).filter_map(|error| of_schema(&error, &[])).collect();
        assert_eq!(told.iter().map(|one| format!("{} {}", one.pointer, one.detail)).collect::<Vec<_>>(), [expected]);
    }

    #[test]
    fn what_has_no_sentence_of_its_own_gets_a_general_one() {
        let general = "/config/hush does not match the provider's config schema";
        for schema in [json!({ "const": 1 }), json!({ "not": {} }), json!({ "maxItems": 0 }), json!(false)] {
            check(&json!({ "properties": { "hush": schema } }), &json!({ "hush": ["s3cret"] }), general);
        }
    }

    #[test]
    fn a_place_is_a_json_pointer() {
        let schema = json!({ "properties": { "a/b~c": { "type": "string" } } });
        check(&schema, &json!({ "a/b~c": 1 }), "/config/a~1b~0c has the wrong type");
    }
}
