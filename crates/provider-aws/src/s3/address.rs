//! Where a bucket is.

use nora_provider_sdk::Connection;
use url::{Host, Url};

use crate::region;

/// The longest label of a host name.
const LONGEST_LABEL: usize = 63;

/// What is asked for: the list of one bucket, or of the buckets.
pub(super) struct Address {
    base: Url,
    bucket: Option<String>,
    bucket_in_host: bool,
    is_custom: bool,
}

/// Whether a custom endpoint is missing, because the region is none of AWS's.
pub(super) fn lacks_endpoint(connection: &Connection<'_>) -> bool {
    let region = connection.text("region").unwrap_or_default();
    !connection.is_set("endpoint") && region::host("s3", &region).is_none()
}

impl Address {
    pub(super) fn read(connection: &Connection<'_>) -> Option<Self> {
        let region = connection.text("region")?;
        let endpoint = connection.text("endpoint");
        let is_custom = endpoint.is_some();
        let base = match endpoint {
            Some(endpoint) => endpoint,
            None => format!("https://{}/", region::host("s3", &region)?),
        };
        let mut base = Url::parse(&base).ok()?;
        let bucket = connection.text("bucket");
        let forced = connection.text("force_path_style").is_some_and(|forced| forced == "true");
        let host = bucket.as_deref().filter(|_| !forced).and_then(|bucket| host_of(bucket, &base));
        let bucket_in_host = host.is_some();
        if let Some(host) = host {
            base.set_host(Some(&host)).ok()?;
        }
        Some(Self { base, bucket, bucket_in_host, is_custom })
    }

    pub(super) fn bucket(&self) -> Option<&str> {
        self.bucket.as_deref()
    }

    /// Whether a store of somebody else's was asked by a host it need not have.
    pub(super) fn is_host_of_custom_store(&self) -> bool {
        self.is_custom && self.bucket_in_host
    }

    pub(super) fn url(&self) -> Url {
        let mut url = self.base.clone();
        if let (Some(bucket), false) = (&self.bucket, self.bucket_in_host) {
            let path = format!("{}/{bucket}", url.path().trim_end_matches('/'));
            url.set_path(&path);
        }
        url.set_query(Some(if self.bucket.is_some() { "list-type=2&max-keys=1" } else { "max-buckets=1" }));
        url
    }
}

/// The bucket's own host. A bucket with a dot has none that a wildcard certificate covers, and a machine that is named
/// by an address or a single word has no hosts below it.
fn host_of(bucket: &str, base: &Url) -> Option<String> {
    let Some(Host::Domain(host)) = base.host() else { return None };
    let inner = bucket.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    let is_label = inner && !bucket.starts_with('-') && !bucket.ends_with('-') && bucket.len() <= LONGEST_LABEL;
    (is_label && host.contains('.')).then(|| format!("{bucket}.{host}"))
}
