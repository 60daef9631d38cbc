//! Throw-away databases.

use std::path::PathBuf;

use nora_testkit_postgres::TestDatabase;

/// Which store a scenario runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Store {
    /// The embedded one.
    Sqlite,
    /// A database of the cluster that `cargo xtask test` started.
    Postgres,
}

/// A database nobody has used yet.
#[derive(Debug)]
pub struct Database {
    file: PathBuf,
    server: Option<TestDatabase>,
}

impl Database {
    pub(crate) async fn create(store: Store, file: PathBuf) -> Self {
        let server = match store {
            Store::Sqlite => None,
            Store::Postgres => Some(TestDatabase::create_empty().await),
        };
        Self { file, server }
    }

    /// Which store it is of.
    pub const fn store(&self) -> Store {
        if self.server.is_some() { Store::Postgres } else { Store::Sqlite }
    }

    /// The URL of a database of the cluster; `None` for the embedded one, which needs no setting.
    pub fn url(&self) -> Option<String> {
        self.server.as_ref().map(|server| server.url().to_owned())
    }

    /// The file of the embedded one.
    pub fn file(&self) -> &PathBuf {
        &self.file
    }
}
