//! Getting the server's programs onto the machine.

use std::path::Path;

use anyhow::{Context, Result};

use super::programs::{self, Programs};
use crate::environment;
use crate::services::apt;

/// Read by Debian's packages when they are installed: without it they start a cluster of their own.
const NO_CLUSTER_OF_ITS_OWN: &str = "/etc/postgresql-common/createcluster.d/nora-tests.conf";

const MISSING: &str = "PostgreSQL's initdb, pg_ctl and postgres are neither on PATH nor under /usr/lib/postgresql";

pub(super) fn found_or_installed() -> Result<Programs> {
    let search_path = environment::search_path();
    if let Some(folder) = programs::find(&search_path) {
        return Programs::new(folder);
    }
    apt::require(&search_path, MISSING, "postgresql")?;
    println!("PostgreSQL is missing: installing it");
    let _setting = apt::TemporaryFile::write(Path::new(NO_CLUSTER_OF_ITS_OWN), "create_main_cluster = false\n")?;
    apt::install("postgresql")?;
    let folder = programs::find(&search_path).context("PostgreSQL was installed, but its programs are not found")?;
    Programs::new(folder)
}
