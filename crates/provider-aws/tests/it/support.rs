//! Connections as a person would fill them in.

use std::sync::Arc;

use nora_provider_sdk::manifest::Values;
use nora_provider_sdk::{Connection, Context, FieldProblem, Outcome, Provider};
use serde_json::Value;

/// Names of fields and what is entered.
pub(crate) type Entered<'a> = &'a [(&'a str, &'a str)];

pub(crate) fn s3() -> Arc<dyn Provider> {
    both().pop().unwrap()
}

pub(crate) fn aws() -> Arc<dyn Provider> {
    both().swap_remove(0)
}

pub(crate) fn both() -> Vec<Arc<dyn Provider>> {
    nora_provider_aws::providers().unwrap()
}

/// The values of the manifest's example with others in their place; an empty text takes one away.
fn values(provider: &dyn Provider, entered: Entered<'_>) -> Values {
    let mut values = provider.manifest().example().unwrap().clone();
    for (field, text) in entered {
        values.remove(*field);
        if !text.is_empty() {
            let value = if *text == "true" { Value::Bool(true) } else { Value::String((*text).to_owned()) };
            values.insert((*field).to_owned(), value);
        }
    }
    values
}

pub(crate) async fn test(provider: &dyn Provider, entered: Entered<'_>, context: &dyn Context) -> Outcome {
    let (config, secrets) = provider.manifest().split(&values(provider, entered));
    let outcome = provider.test(&Connection::new(provider.manifest(), &config, &secrets), context).await;
    let shown = format!("{outcome:?}");
    assert!(secrets.iter().all(|(_, secret)| !shown.contains(secret.expose())), "the outcome shows a secret");
    outcome
}

pub(crate) fn check(provider: &dyn Provider, entered: Entered<'_>) -> Vec<FieldProblem> {
    let (config, secrets) = provider.manifest().split(&values(provider, entered));
    provider.check(&Connection::new(provider.manifest(), &config, &secrets))
}
