//! Noticing that a catalog pushes something else than the one before it.

use nora_catalog::Catalog;
use nora_kernel::{Digest, Timestamp, Unavailable};

use crate::ports::{ShapeStore, Shapes};

/// Makes every agent due for a push whose runtime would be told something else by this catalog than by the one a
/// server last started with: a variable of another name, a provider that was switched off, another category.
///
/// Returns how many agents those are.
pub async fn adopt(
    catalog: &Catalog,
    store: &dyn ShapeStore,
    digest: &dyn Digest,
    now: Timestamp,
) -> Result<u64, Unavailable> {
    store.adopt(&shapes(catalog, digest), now).await
}

fn shapes(catalog: &Catalog, digest: &dyn Digest) -> Shapes {
    let shape = |entry: &nora_catalog::Entry| {
        let text = format!("{} {}", entry.is_enabled(), entry.manifest().pushed_shape());
        hex::encode(digest.sha256(text.as_bytes()))
    };
    catalog.entries().map(|entry| (entry.manifest().id().clone(), shape(entry))).collect()
}
