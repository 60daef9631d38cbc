#![doc = include_str!("../README.md")]

mod classify;
mod error;
mod key;
mod region;
mod s3;
mod sts;

use std::sync::Arc;

use nora_provider_sdk::{ManifestError, Provider, coded};

/// Every provider of this crate: Amazon Web Services, then S3.
///
/// # Errors
///
/// A manifest is refused; the tests of this crate parse them.
pub fn providers() -> Result<Vec<Arc<dyn Provider>>, ManifestError> {
    Ok(vec![
        coded::<sts::Identity>("aws.toml", include_str!("../manifests/aws.toml"))?,
        coded::<s3::Listing>("s3.toml", include_str!("../manifests/s3.toml"))?,
    ])
}
