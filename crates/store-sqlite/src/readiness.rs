//! Whether the database can do its work.

use async_trait::async_trait;
use nora_kernel::{Readiness, Unavailable};

use crate::SqliteStore;
use crate::migrations::is_current;

#[async_trait]
impl Readiness for SqliteStore {
    async fn ready(&self) -> Result<(), Unavailable> {
        let current = self.read(is_current).await?;
        // The writer answers only if its connection works.
        self.write(|_| Ok::<(), crate::failure::Abort<Unavailable>>(())).await?;
        if current { Ok(()) } else { Err(Unavailable::fault("the schema is not the one this version needs")) }
    }
}
