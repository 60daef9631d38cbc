//! A store that speaks S3 and verifies signatures: moto, in a Python environment of its own.

mod environment;
mod server;

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use super::{Service, Variable};
use crate::workspace::Workspace;
use server::Server;

/// By which tests find the store: its URL, with the keys of its accounts in the query.
const URL: &str = "NORA_TEST_S3_URL";

/// The one package whose tests need it.
pub(super) const PACKAGE: &str = "nora-provider-aws";

pub(super) struct S3 {
    python: PathBuf,
    script: PathBuf,
    server: Option<Server>,
}

impl S3 {
    /// Makes the environment, unless an earlier run did.
    pub(super) fn prepare(workspace: &Workspace) -> Result<Self> {
        let sources = workspace.root().join("xtask/src/services/s3");
        let python = environment::python(&workspace.scratch().join("s3"), &sources.join("requirements.txt"))?;
        Ok(Self { python, script: sources.join("serve.py"), server: None })
    }
}

impl Service for S3 {
    fn name(&self) -> &'static str {
        "the S3 store"
    }

    fn start(&mut self) -> Result<Vec<Variable>> {
        let (server, url) = Server::start(Command::new(&self.python).arg(&self.script))?;
        self.server = Some(server);
        Ok(vec![(URL, url)])
    }

    fn stop(&mut self) {
        self.server = None;
    }
}
