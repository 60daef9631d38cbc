#![doc = include_str!("../README.md")]

mod classify;
mod credentials;
mod error;
mod region;
mod s3;
mod sigv4;
mod sts;

use std::sync::Arc;

use nora_provider_sdk::{ManifestError, Provider};

pub use s3::S3;
pub use sts::Aws;

/// Every provider of this crate.
///
/// # Errors
///
/// A manifest is refused; the tests of this crate parse them.
pub fn providers() -> Result<Vec<Arc<dyn Provider>>, ManifestError> {
    Ok(vec![Arc::new(Aws::new()?), Arc::new(S3::new()?)])
}
