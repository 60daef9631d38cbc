//! Checks of what the catalog shows.

use std::collections::BTreeSet;

use jsonschema::PatternOptions;
use nora_kernel::Label;
use nora_provider_sdk::{Provider, rehearse};
use serde_json::Value;

use super::Finding;
use super::subject::subjects;

/// The shortest secret of an example: one that can be told from ordinary text wherever it shows up.
const SHORTEST_SECRET: usize = 12;

pub(super) async fn schema_is_valid(provider: &dyn Provider) -> Finding {
    let manifest = provider.manifest();
    let schema = manifest.config_schema();
    jsonschema::draft202012::meta::validate(schema).map_err(|error| error.to_string())?;
    compile(schema)?;
    for field in manifest.config_fields() {
        let property = schema.pointer(&format!("/properties/{}", field.name)).ok_or("a field is not in the schema")?;
        for (member, wanted) in [("writeOnly", field.secret), ("x-destination", field.destination)] {
            if property.get(member).is_some() != wanted {
                return Err(format!("`{}`: {member} does not say what the field says", field.name));
            }
        }
    }
    Ok(())
}

pub(super) async fn schema_takes_the_example(provider: &dyn Provider) -> Finding {
    let manifest = provider.manifest();
    let example = manifest.example().ok_or("there is no [example]")?;
    let short = |field: &&nora_provider_sdk::manifest::Field| {
        let value = example.get(field.name.as_str()).and_then(Value::as_str);
        field.secret && value.is_some_and(|value| value.len() < SHORTEST_SECRET)
    };
    if let Some(field) = manifest.fields().iter().find(short) {
        return Err(format!("the example's `{}` is shorter than {SHORTEST_SECRET} characters", field.name));
    }
    let validator = compile(manifest.config_schema())?;
    let token = manifest.token().map(|field| field.name.as_str().to_owned());
    let every = std::iter::once((example, "the example"))
        .chain(manifest.cases().iter().map(|case| (&case.values, case.name.as_str())));
    for (values, name) in every {
        let config = values.iter().filter(|(field, _)| Some(*field) != token.as_ref());
        let config = Value::Object(config.map(|(field, value)| (field.clone(), value.clone())).collect());
        if let Some(error) = validator.iter_errors(&config).next() {
            return Err(format!("{name}: at {} {error}", error.instance_path()));
        }
        if let Some(problem) = manifest.unmet_requirement(|field| values.contains_key(field)) {
            return Err(format!("{name}: {}", problem.detail));
        }
    }
    Ok(())
}

fn compile(schema: &Value) -> Result<jsonschema::Validator, String> {
    let options = jsonschema::draft202012::options().should_validate_formats(true);
    options.with_pattern_options(PatternOptions::regex()).build(schema).map_err(|error| error.to_string())
}

/// Also with the longest label there is, whose suffix makes names longer.
pub(super) async fn variables_are_legal_and_unique(provider: &dyn Provider) -> Finding {
    let longest: Label = "x".repeat(32).parse().map_err(|_| "the longest label")?;
    let mut seen = BTreeSet::new();
    for (field, name) in provider.manifest().fields().iter().filter_map(|field| Some((field, field.env.as_ref()?))) {
        if !seen.insert(name.as_str().to_owned()) {
            return Err(format!("two fields set {name}"));
        }
        if name.labelled(&longest).is_none() {
            return Err(format!("`{}`: {name} leaves no room for a label", field.name));
        }
    }
    Ok(())
}

pub(super) async fn recorded_cases_end_as_they_say(provider: &dyn Provider) -> Finding {
    let mismatches = rehearse(provider).await;
    if mismatches.is_empty() {
        return Ok(());
    }
    Err(mismatches.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
}

/// A provider that sends requests shows what a good answer is, or nothing else here would be tried on it.
pub(super) async fn a_success_is_recorded(provider: &dyn Provider) -> Finding {
    let manifest = provider.manifest();
    if subjects(provider).is_empty() && !manifest.tests_in_code() && !manifest.requests().is_empty() {
        return Err("no case expects `verified`".to_owned());
    }
    Ok(())
}
