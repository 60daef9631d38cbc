//! The services, and what each is asked.

mod analytics;
mod calendar;
mod drive;
mod firebase;
mod gcp;
mod sheets;

use nora_provider_sdk::{Connection, Manifest};
use url::Url;

use crate::question::Question;
use crate::service_account::ServiceAccount;

/// Every service.
pub(crate) const ALL: &[Service] =
    &[gcp::SERVICE, sheets::SERVICE, calendar::SERVICE, drive::SERVICE, analytics::SERVICE, firebase::SERVICE];

/// One service: its manifest, and how its connections are tested.
pub(crate) struct Service {
    pub(crate) file: &'static str,
    pub(crate) manifest: &'static str,
    /// What a token for it is good for, as OAuth scopes with spaces between them.
    pub(crate) scope: &'static str,
    /// What it is asked, in order. None at all if the exchange is the proof; `None` if a value is missing.
    pub(crate) questions: fn(&Asker<'_>) -> Option<Vec<Question>>,
}

impl Service {
    /// The service that a manifest is one of.
    pub(crate) fn of(manifest: &Manifest) -> Option<&'static Self> {
        let id = manifest.id().as_str();
        ALL.iter().find(|service| service.file.strip_suffix(".toml") == Some(id))
    }
}

/// Who asks.
pub(crate) struct Asker<'a> {
    pub(crate) connection: &'a Connection<'a>,
    pub(crate) account: &'a ServiceAccount,
    /// The address things are shared with: the service account's, or that of the user it acts for.
    pub(crate) name: &'a str,
}

/// The manifest of a service, with the one key that all their examples share.
macro_rules! manifest {
    ($file:literal) => {
        concat!(include_str!(concat!("../../manifests/", $file)), include_str!("../../manifests/example-key.toml"),)
    };
}

use manifest;

/// A URL of fixed beginning and query, with `segments` at the end of its path.
fn url(base: &str, segments: &[&str]) -> Option<Url> {
    let mut url = Url::parse(base).ok()?;
    url.path_segments_mut().ok()?.extend(segments);
    Some(url)
}
