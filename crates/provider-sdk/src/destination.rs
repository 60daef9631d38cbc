//! The forms of values that decide where a credential is sent.
//!
//! What is checked here is form. That a name leads to an address that may be called is asked when it is resolved, on
//! every connection.

use std::net::IpAddr;

use nora_kernel::address::{Endpoint, InvalidEndpoint, NetworkPolicy, Scheme, is_web_port};
use url::Url;

const LONGEST_URL: usize = 2048;
const LONGEST_NAME: usize = 253;
const LONGEST_LABEL: usize = 63;

const NOT_CALLED: &str = "lies in a network that this installation does not call";
const NEEDS_TLS: &str = "must be an https URL";

/// Names that lead to no public host whatever a resolver says.
const NEVER: &[&str] = &["onion", "metadata.google.internal"];

/// Names that lead into a local network, which is called only where the operator lists networks.
const LOCAL: &[&str] = &["arpa", "internal", "lan", "local", "localdomain", "localhost", "svc"];

/// A host: an address, or a name in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Host {
    Address(IpAddr),
    Name(String),
}

impl Host {
    /// The host as a URL holds it: IPv6 addresses in brackets.
    pub(crate) fn in_url(&self) -> String {
        match self {
            Self::Address(IpAddr::V4(address)) => address.to_string(),
            Self::Address(IpAddr::V6(address)) => format!("[{address}]"),
            Self::Name(name) => name.clone(),
        }
    }
}

/// One label of a host name: `^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$`.
pub(crate) fn is_label(text: &str) -> bool {
    let inner = text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    (1..=LONGEST_LABEL).contains(&text.len()) && inner && !text.starts_with('-') && !text.ends_with('-')
}

/// A host name in lower case, of labels; not one a URL parser would take for an address.
pub(crate) fn is_host_name(text: &str) -> bool {
    let last = text.rsplit('.').next().unwrap_or_default();
    let numeric = last.bytes().all(|byte| byte.is_ascii_digit()) || last.starts_with("0x");
    text.len() <= LONGEST_NAME && text.split('.').all(is_label) && !numeric
}

/// The label in front of a fixed domain.
pub(crate) fn parse_label(text: &str) -> Result<String, &'static str> {
    if is_label(text) {
        Ok(text.to_owned())
    } else {
        Err("must be one label of a host name: 1 to 63 lower-case letters, digits and hyphens")
    }
}

/// A host name or address, without a port.
pub(crate) fn parse_host(text: &str) -> Result<Host, &'static str> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(Host::Address(address));
    }
    let name = text.to_ascii_lowercase();
    if is_host_name(&name) {
        Ok(Host::Name(name))
    } else {
        Err("must be a host name or an IP address, and nothing else")
    }
}

/// A host name under one of `domains` (each with its leading dot).
pub(crate) fn parse_host_under(text: &str, domains: &[String]) -> Result<String, &'static str> {
    let name = text.to_ascii_lowercase();
    if is_host_name(&name) && lies_under(&name, domains) {
        Ok(name)
    } else {
        Err("must be a host name under one of the provider's domains")
    }
}

/// Whether `host` is a name under one of `domains` (each with its leading dot).
pub(crate) fn lies_under(host: &str, domains: &[String]) -> bool {
    domains.iter().any(|domain| host.len() > domain.len() && host.ends_with(domain.as_str()))
}

/// A base URL: scheme, host, an allowed port and a path prefix; nothing else.
pub(crate) fn parse_base_url(text: &str) -> Result<Endpoint, &'static str> {
    if text.len() > LONGEST_URL {
        return Err("must have at most 2048 characters");
    }
    let endpoint = Endpoint::parse(text, Scheme::Http).map_err(describe)?;
    if !host_is_as_written(text, &endpoint) {
        return Err("must name its host plainly: ASCII, no escapes, no shortened or numeric addresses");
    }
    if endpoint.literal().is_none() && !is_host_name(endpoint.host()) {
        return Err("must name a valid host");
    }
    if !is_web_port(endpoint.port()) {
        return Err("must use port 80, 443, or one from 1024 up");
    }
    Ok(endpoint)
}

/// The URL that a file of credentials names, if a credential may be sent there: https, with a plainly written host, a
/// port of the web and perhaps a path; no user name, query or fragment. Whether the host may be called is asked when it
/// is.
///
/// ```
/// use nora_provider_sdk::https_url;
///
/// assert!(https_url("https://cluster.example:6443/k8s").is_some());
/// for bad in ["http://cluster.example", "https://user@cluster.example", "https://0xc0.0.2.7", "https://a.example:22"] {
///     assert_eq!(https_url(bad), None);
/// }
/// ```
pub fn https_url(text: &str) -> Option<Url> {
    let endpoint = parse_base_url(text).ok()?;
    let url = Url::parse(text).ok()?;
    (url.scheme() == "https" && endpoint.port() != 80).then_some(url)
}

const fn describe(error: InvalidEndpoint) -> &'static str {
    match error {
        InvalidEndpoint::Syntax => "is not a URL",
        InvalidEndpoint::NotHttp | InvalidEndpoint::NotWebSocket => "must be an http or https URL",
        InvalidEndpoint::UserInfo => "must not hold a user name or password",
        InvalidEndpoint::QueryOrFragment => "must not hold a query or fragment",
        InvalidEndpoint::Host => "must name a host",
    }
}

/// URL parsers read many spellings of one host. Only the plain one is taken, so that whoever reads the configuration
/// sees where the credential goes.
fn host_is_as_written(text: &str, endpoint: &Endpoint) -> bool {
    let authority = text.split_once("://").map_or("", |(_, rest)| rest);
    let authority = authority.split(['/', '?', '#']).next().unwrap_or_default();
    let written = match authority.strip_prefix('[') {
        Some(bracketed) => bracketed.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    match endpoint.literal() {
        Some(address) => written.parse() == Ok(address),
        None => written.eq_ignore_ascii_case(endpoint.host()),
    }
}

/// Checks a base URL against the networks this installation calls.
pub(crate) fn check_base_url(text: &str, domains: &[String], policy: &NetworkPolicy) -> Result<(), &'static str> {
    let endpoint = parse_base_url(text)?;
    let plaintext = if let Some(address) = endpoint.literal() {
        check_address(address, policy)?;
        policy.permits_plaintext(address)
    } else {
        check_name(endpoint.host(), policy)?;
        policy.lists_networks()
    };
    if !endpoint.is_tls() && !plaintext {
        return Err(NEEDS_TLS);
    }
    if !domains.is_empty() && !lies_under(endpoint.host(), domains) {
        return Err("must lie under one of the provider's domains");
    }
    Ok(())
}

/// Checks a host against the networks this installation calls.
pub(crate) fn check_host(text: &str, policy: &NetworkPolicy) -> Result<(), &'static str> {
    match parse_host(text)? {
        Host::Address(address) => check_address(address, policy),
        Host::Name(name) => check_name(&name, policy),
    }
}

fn check_address(address: IpAddr, policy: &NetworkPolicy) -> Result<(), &'static str> {
    if policy.permits(address) { Ok(()) } else { Err(NOT_CALLED) }
}

fn check_name(name: &str, policy: &NetworkPolicy) -> Result<(), &'static str> {
    let is_one_of = |names: &[&str]| {
        names.iter().any(|local| name.strip_suffix(local).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')))
    };
    let local = !name.contains('.') || is_one_of(LOCAL);
    if is_one_of(NEVER) || (local && !policy.lists_networks()) { Err(NOT_CALLED) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_sent_to_plain_https_urls_alone() {
        for good in [
            "https://kubernetes.example",
            "https://Kubernetes.Example:6443/",
            "https://rancher.example/k8s/clusters/c-1",
            "https://192.0.2.7:6443",
            "https://[2001:db8::7]:6443",
        ] {
            assert!(https_url(good).is_some(), "{good}");
        }
        for bad in [
            "http://kubernetes.example",
            "ftp://kubernetes.example",
            "https://",
            "kubernetes.example",
            "https:kubernetes.example",
            "https://user@kubernetes.example",
            "https://@kubernetes.example",
            "https://user:word@kubernetes.example",
            "https://kubernetes.example?a=b",
            "https://kubernetes.example#a",
            "https://kubernetes.example:25",
            "https://kubernetes.example:80",
            "https://3221225991:6443",
            "https://0xc0.0.2.7",
            "https://kubernetes\\.example",
            "https://k%75bernetes.example",
            "https://kübernetes.example",
        ] {
            assert!(https_url(bad).is_none(), "{bad}");
        }
    }
}
