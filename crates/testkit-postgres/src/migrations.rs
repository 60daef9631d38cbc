//! The migrations of the Postgres store, as they lie in the repository.

use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};

use diesel_async::AsyncPgConnection;
use diesel_async::async_connection_wrapper::AsyncConnectionWrapper;
use diesel_migrations::{FileBasedMigrations, MigrationHarness as _};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations/postgres")
}

/// Changes whenever a migration does.
pub(crate) fn digest() -> u64 {
    let mut files = Vec::new();
    collect(&folder(), &mut files);
    files.sort();
    let mut hasher = DefaultHasher::new();
    for file in files {
        let name = file.strip_prefix(folder()).expect("it lies in the folder").to_owned();
        (name, fs::read(&file).expect("a migration can be read")).hash(&mut hasher);
    }
    hasher.finish()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the folder of migrations can be read") {
        let path = entry.expect("the folder of migrations can be read").path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            files.push(path);
        }
    }
}

/// Runs all of them. Diesel's harness blocks, so it gets a thread of its own.
pub(crate) async fn run(connection: AsyncPgConnection) {
    let migrate = move || {
        let migrations = FileBasedMigrations::from_path(folder()).expect("the folder of migrations can be read");
        let mut connection: AsyncConnectionWrapper<_> = connection.into();
        connection.run_pending_migrations(migrations).map(drop).expect("the migrations run");
    };
    tokio::task::spawn_blocking(migrate).await.expect("the migrations run");
}
