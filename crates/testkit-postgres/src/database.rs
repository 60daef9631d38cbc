//! A database of one test.

use std::mem;

use crate::admin::Admin;
use crate::{sweep, template};

/// A database that goes when this is dropped.
///
/// Drop what is connected to it first: whoever still is has its connection cut.
#[derive(Debug)]
pub struct TestDatabase {
    name: String,
    url: String,
}

impl TestDatabase {
    /// A new database with every migration applied and not a row in it.
    pub async fn create() -> Self {
        let mut admin = Admin::connect().await;
        let template = template::ensure(&mut admin).await;
        Self::copy(&mut admin, &template).await
    }

    /// A new database without a table.
    pub async fn create_empty() -> Self {
        Self::copy(&mut Admin::connect().await, "template0").await
    }

    /// The URL of its owner, a superuser.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Drops the database and waits until it is gone.
    pub async fn drop_database(mut self) {
        let name = mem::take(&mut self.name);
        Admin::connect().await.drop_database(&name).await;
    }

    async fn copy(admin: &mut Admin, template: &str) -> Self {
        sweep::sweep(admin).await;
        let name = admin.texts(sweep::NEW_NAME).await.pop().expect("a query for one row returns it");
        admin.execute(&format!("CREATE DATABASE \"{name}\" TEMPLATE \"{template}\"")).await;
        Self { url: admin.url_of(&name).into(), name }
    }
}

impl Drop for TestDatabase {
    /// Does its best: what it cannot drop, a later run sweeps.
    fn drop(&mut self) {
        let name = mem::take(&mut self.name);
        if name.is_empty() {
            return;
        }
        // The test's own runtime may be the current-thread one this runs on, which cannot be waited for here.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            if let Ok(runtime) = runtime {
                runtime.block_on(async { Admin::connect().await.drop_database(&name).await });
            }
        });
        drop(dropping.join());
    }
}
