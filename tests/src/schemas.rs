//! A validator of JSON Schema that is not ours: Python's `jsonschema`.

use serde_json::{Value, json};

use crate::{environment, python};

const VALIDATE: &str = r#"
import json, sys
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
for claim in json.load(sys.stdin):
    try:
        Draft202012Validator.check_schema(claim["schema"])
    except SchemaError as error:
        print(f"{claim['name']}: no schema of draft 2020-12: {error.message}")
        continue
    for instance in claim["instances"]:
        for error in Draft202012Validator(claim["schema"]).iter_errors(instance):
            print(f"{claim['name']}: {error.json_path}: {error.message}")
"#;

/// That a schema is one, and that some values are as it says.
#[derive(Debug)]
pub struct Claim {
    /// What it is about, for whoever reads a failure.
    pub name: String,
    /// A schema of draft 2020-12.
    pub schema: Value,
    /// What is valid by it.
    pub instances: Vec<Value>,
}

/// What the validator has to say against the claims, one objection on a line.
pub fn objections(claims: &[Claim]) -> String {
    let claim = |claim: &Claim| json!({ "name": claim.name, "schema": claim.schema, "instances": claim.instances });
    let claims: Vec<Value> = claims.iter().map(claim).collect();
    python::run(&environment::jsonschema_python(), VALIDATE, Value::from(claims).to_string())
}
