//! One provider in the catalog.

use std::sync::Arc;

use jsonschema::{PatternOptions, Validator};
use nora_kernel::Digest;
use nora_kernel::address::NetworkPolicy;
use nora_provider_sdk::{Manifest, Provider};
use serde_json::Value;

use crate::describe::describe;
use crate::listing::Listing;
use crate::{CatalogError, Options};

/// A provider with everything derived from it once.
pub struct Entry {
    provider: Arc<dyn Provider>,
    item: Listing,
    validator: Validator,
    haystack: String,
    enabled: bool,
    policy: NetworkPolicy,
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Entry").field("id", self.manifest().id()).finish_non_exhaustive()
    }
}

impl Entry {
    pub(crate) fn build(
        provider: Arc<dyn Provider>,
        options: &Options,
        digest: &dyn Digest,
    ) -> Result<Self, CatalogError> {
        let manifest = provider.manifest();
        let enabled = !options.disabled.contains(manifest.id());
        let item = Listing::new(describe(manifest, enabled).to_string().into(), digest);
        let invalid = |reason| CatalogError::InvalidSchema { provider: manifest.id().clone(), reason };
        let validator = compile(manifest.config_schema()).map_err(invalid)?;
        let haystack = format!("{}\n{}\n{}", manifest.id(), manifest.name(), manifest.description()).to_lowercase();
        Ok(Self { provider, item, validator, haystack, enabled, policy: options.policy.clone() })
    }

    /// What the provider says about itself.
    pub fn manifest(&self) -> &Manifest {
        self.provider.manifest()
    }

    /// The provider.
    pub fn provider(&self) -> &dyn Provider {
        self.provider.as_ref()
    }

    /// The JSON object a client sees.
    pub fn item(&self) -> &Listing {
        &self.item
    }

    /// Whether it can be connected in this installation.
    pub fn is_enabled(&self) -> bool {
        self.enabled
    }

    pub(crate) fn validator(&self) -> &Validator {
        &self.validator
    }

    pub(crate) fn policy(&self) -> &NetworkPolicy {
        &self.policy
    }

    pub(crate) fn holds_words(&self, text: &str) -> bool {
        text.to_lowercase().split_whitespace().all(|word| self.haystack.contains(word))
    }
}

/// Compiles the schema with the linear regular-expression engine. Without the library's default features a reference
/// to another document has no retriever, so it is an error here instead of a request there.
fn compile(schema: &Value) -> Result<Validator, String> {
    jsonschema::draft202012::options()
        .should_validate_formats(true)
        .with_pattern_options(PatternOptions::regex())
        .build(schema)
        .map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// What a pattern that never ends would be tried on.
    const INSTANCE: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!";

    fn refused(schema: &Value) -> bool {
        compile(schema).is_err()
    }

    #[test]
    fn nothing_is_fetched() {
        for reference in
            ["../../../etc/passwd", "file:///etc/passwd", "http://127.0.0.1:9/x", "https://json-schema.org/x"]
        {
            assert!(refused(&json!({ "$ref": reference })), "{reference}");
            assert!(refused(&json!({ "properties": { "x": { "$ref": reference } } })), "{reference}");
        }
        assert!(!refused(&json!({ "$defs": { "a": { "type": "string" } }, "$ref": "#/$defs/a" })));
    }

    #[test]
    fn a_schema_is_a_schema() {
        for schema in [
            json!("str"),
            json!({ "type": "strnig" }),
            json!({ "required": "x" }),
            json!({ "properties": { "x": { "pattern": "(" } } }),
            json!({ "pattern": "a{0,65535}{0,65535}" }),
            json!({ "pattern": "(?=a)" }),
        ] {
            assert!(refused(&schema), "{schema}");
        }
    }

    #[test]
    fn a_schema_that_refers_to_itself_ends() {
        for schema in [
            json!({ "$ref": "" }),
            json!({ "$defs": { "a": { "$ref": "#/$defs/b" }, "b": { "$ref": "#/$defs/a" } }, "$ref": "#/$defs/a" }),
            json!({ "$dynamicAnchor": "x", "$dynamicRef": "#x", "unevaluatedProperties": false }),
        ] {
            let answer = compile(&schema).map(|validator| validator.is_valid(&json!(INSTANCE)));
            assert_eq!(answer, Ok(true), "{schema}");
        }
    }

    #[test]
    fn patterns_take_linear_time() {
        let validator = compile(&json!({ "type": "string", "pattern": "^(a+)+$" })).unwrap();
        assert!(!validator.is_valid(&json!(format!("{}!", "a".repeat(50_000)))));
        assert!(validator.is_valid(&json!("a".repeat(50_000))));
    }
}
