//! Connections as a person would fill them in.

use std::sync::Arc;

use nora_provider_sdk::manifest::Values;
use nora_provider_sdk::{Connection, Context, FieldProblem, Outcome, Provider};
use serde_json::Value;

pub(crate) const KEY: &str = "service_account_json";
pub(crate) const TOKEN: &str = "ya29.canary-access-token-0123456789";

pub(crate) fn provider(id: &str) -> Arc<dyn Provider> {
    let mut providers = nora_provider_google::providers().unwrap().into_iter();
    providers.find(|provider| provider.manifest().id().as_str() == id).unwrap()
}

/// The key file of the examples.
pub(crate) fn key_file() -> Value {
    let example = provider("gcp").manifest().example().unwrap().clone();
    serde_json::from_str(example[KEY].as_str().unwrap()).unwrap()
}

/// The key file with one member changed, or without it if `value` is null.
pub(crate) fn key_with(member: &str, value: impl Into<Value>) -> String {
    let mut file = key_file();
    let members = file.as_object_mut().unwrap();
    match value.into() {
        Value::Null => members.remove(member),
        value => members.insert(member.to_owned(), value),
    };
    file.to_string()
}

/// The values of the example with others in their place; an empty text takes one away.
fn values(provider: &dyn Provider, entered: &[(&str, &str)]) -> Values {
    let mut values = provider.manifest().example().unwrap().clone();
    for (field, text) in entered {
        values.remove(*field);
        if !text.is_empty() {
            values.insert((*field).to_owned(), Value::String((*text).to_owned()));
        }
    }
    values
}

pub(crate) async fn test(id: &str, entered: &[(&str, &str)], context: &dyn Context) -> Outcome {
    let provider = provider(id);
    let (config, secrets) = provider.manifest().split(&values(provider.as_ref(), entered));
    provider.test(&Connection::new(provider.manifest(), &config, &secrets), context).await
}

pub(crate) fn check(id: &str, entered: &[(&str, &str)]) -> Vec<FieldProblem> {
    let provider = provider(id);
    let (config, secrets) = provider.manifest().split(&values(provider.as_ref(), entered));
    provider.check(&Connection::new(provider.manifest(), &config, &secrets))
}
