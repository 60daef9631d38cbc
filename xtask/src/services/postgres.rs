//! A throw-away `PostgreSQL` cluster.

mod account;
mod cluster;
mod install;
mod programs;
mod scratch;

use anyhow::Result;

use super::{Service, Variable};
use cluster::Cluster;
use programs::Programs;

/// By which tests find the cluster: the URL of a role that may create databases.
const URL: &str = "NORA_TEST_POSTGRES_URL";

pub(super) struct Postgres {
    programs: Programs,
    cluster: Option<Cluster>,
}

impl Postgres {
    /// Finds the server's programs, installing them if need be, and removes the clusters of killed runs.
    pub(super) fn prepare() -> Result<Self> {
        let programs = install::found_or_installed()?;
        cluster::sweep(&std::env::temp_dir(), &programs);
        Ok(Self { programs, cluster: None })
    }
}

impl Service for Postgres {
    fn name(&self) -> &'static str {
        "PostgreSQL"
    }

    fn start(&mut self) -> Result<Vec<Variable>> {
        let cluster = self.cluster.insert(Cluster::create(&std::env::temp_dir(), self.programs.clone())?);
        let url = cluster.start()?;
        Ok(vec![(URL, url)])
    }

    fn stop(&mut self) {
        self.cluster = None;
    }
}
