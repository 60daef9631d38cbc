//! URLs that must not be called.

use regex::bytes::Regex;
use url::Url;

use crate::destination::lies_under;
use crate::template::Lookup as _;
use crate::values::Values;
use crate::{Context, Outcome, Transport};

const NOT_ONE: &str = "The URL is not one of this provider's. Check that it was copied whole.";

/// What such a URL looks like.
#[derive(Debug)]
pub(crate) struct Shape {
    pub(super) field: String,
    pub(super) hosts: Vec<String>,
    /// Each with its leading dot.
    pub(super) domains: Vec<String>,
    pub(super) path: Option<Regex>,
    pub(super) reachable: bool,
    pub(super) advice: String,
}

impl Shape {
    /// Looks at the URL, and at most whether its host takes a TLS connection.
    pub(super) async fn test(&self, values: &Values<'_>, context: &dyn Context) -> Outcome {
        let url = values.value(&self.field).ok().and_then(|value| Url::parse(value.expose()).ok());
        let Some(url) = url.filter(|url| self.fits(url)) else { return Outcome::unverifiable(NOT_ONE) };
        if self.reachable
            && let Err(error) = reach(&url, context).await
        {
            return Outcome::unreachable(error.into());
        }
        Outcome::unverifiable(self.advice.clone())
    }

    fn fits(&self, url: &Url) -> bool {
        let host = url.host_str().unwrap_or_default();
        let any_host = self.hosts.is_empty() && self.domains.is_empty();
        let is_theirs = any_host || self.hosts.iter().any(|theirs| theirs == host) || lies_under(host, &self.domains);
        let scheme = url.scheme() == "https" || (any_host && url.scheme() == "http");
        let plain = url.username().is_empty() && url.password().is_none();
        let path = self.path.as_ref().is_none_or(|path| path.is_match(url.path().as_bytes()));
        is_theirs && scheme && plain && path
    }
}

async fn reach(url: &Url, context: &dyn Context) -> Result<(), crate::NetworkError> {
    let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    // Nothing is said in the clear, not even where the URL leads.
    let stream = context.connect(host, url.port_or_known_default().unwrap_or(443), Transport::Tls).await?;
    if url.scheme() == "https" {
        context.start_tls(stream, host).await?;
    }
    Ok(())
}
