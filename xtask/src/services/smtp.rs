//! Mail servers that take no mail.

use std::path::Path;

use anyhow::Result;

use super::python;
use super::script::Script;

const PACKAGES: &[&str] = &["aiosmtpd==1.4.6", "trustme==1.2.1"];

pub(super) fn prepare(scratch: &Path) -> Result<Script> {
    let python = python::with(scratch, "smtp", PACKAGES)?;
    Ok(Script::new("SMTP", "NORA_TEST_SMTP_URL", &python, "smtp/serve.py"))
}
