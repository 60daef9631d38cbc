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
