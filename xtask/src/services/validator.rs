//! A validator of JSON Schema that is not ours: Python's `jsonschema`.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::{Service, Variable, python};

const PACKAGES: &[&str] = &["jsonschema==4.25.1"];

pub(super) struct Validator(PathBuf);

pub(super) fn prepare(scratch: &Path) -> Result<Validator> {
    python::with(scratch, "validator", PACKAGES).map(Validator)
}

impl Service for Validator {
    fn name(&self) -> &'static str {
        "JSON Schema validator"
    }

    fn start(&mut self) -> Result<Vec<Variable>> {
        Ok(vec![("NORA_TEST_JSONSCHEMA_PYTHON", self.0.display().to_string())])
    }

    fn stop(&mut self) {}
}
