//! A database for one test.

use std::path::PathBuf;
use std::sync::Arc;

use nora_store_sqlite::{OpenError, Options, SqliteStore};
use nora_testkit::{Fixture, ManualClock, SequentialIds, Stores};
use tempfile::TempDir;

/// A migrated database in a directory of its own.
pub(crate) struct Database {
    pub(crate) store: Arc<SqliteStore>,
    pub(crate) clock: ManualClock,
    ids: SequentialIds,
    pub(crate) directory: TempDir,
}

impl Database {
    pub(crate) async fn start() -> Self {
        let (directory, clock, ids) = (tempfile::tempdir().unwrap(), ManualClock::new(), SequentialIds::new());
        let options = Options::new(Arc::new(clock.clone()), Arc::new(ids.clone()));
        let store = SqliteStore::open(&directory.path().join("nora.db"), options).await.unwrap();
        store.migrate().await.unwrap();
        Self { store: Arc::new(store), clock, ids, directory }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.directory.path().join("nora.db")
    }

    /// Opens the same file once more.
    pub(crate) async fn open_again(&self) -> Result<SqliteStore, OpenError> {
        let options = Options::new(Arc::new(self.clock.clone()), Arc::new(self.ids.clone()));
        SqliteStore::open(&self.path(), options).await
    }

    /// Closes the file and opens it as the next start of the server would.
    pub(crate) async fn restart(&mut self) {
        self.store.close().await;
        self.store = Arc::new(self.open_again().await.unwrap());
    }
}

impl Fixture for Database {
    fn here(&self) -> &dyn Stores {
        &self.store
    }

    /// SQLite serves one server.
    fn elsewhere(&self) -> &dyn Stores {
        &self.store
    }

    fn clock(&self) -> &ManualClock {
        &self.clock
    }
}
