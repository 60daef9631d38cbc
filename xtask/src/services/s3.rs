//! A store that speaks S3 and verifies signatures, and its STS.

use std::path::Path;

use anyhow::Result;

use super::python;
use super::script::Script;

/// Signatures are verified by botocore, so it is pinned like the server itself.
const PACKAGES: &[&str] = &["moto==5.2.5", "boto3==1.44.5", "botocore==1.44.5", "Flask==3.1.3", "flask-cors==6.0.5"];

pub(super) fn prepare(scratch: &Path) -> Result<Script> {
    let python = python::with(scratch, "s3", PACKAGES)?;
    Ok(Script::new("S3", "NORA_TEST_S3_URL", &python, "s3/serve.py"))
}
