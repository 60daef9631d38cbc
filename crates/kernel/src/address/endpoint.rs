//! URLs of services we call, parsed once.

use std::fmt;
use std::net::IpAddr;

use url::{Host, Url};

/// How an endpoint is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// `http` or `https`.
    Http,
    /// `ws` or `wss`.
    WebSocket,
}

/// Why a URL is not an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidEndpoint {
    /// It does not parse.
    #[error("is not a URL")]
    Syntax,
    /// Its scheme is another one.
    #[error("must be an http or https URL")]
    NotHttp,
    /// Its scheme is another one.
    #[error("must be a ws or wss URL")]
    NotWebSocket,
    /// It has a user name or password.
    #[error("must not hold a user name or password")]
    UserInfo,
    /// It has a query or a fragment.
    #[error("must not hold a query or fragment")]
    QueryOrFragment,
    /// It has no host, or spells it with characters no host name needs.
    #[error("must name a host")]
    Host,
}

/// A base URL: scheme, host, optional port and path prefix; no user, query or fragment.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Endpoint(Url);

impl Endpoint {
    /// Parses a base URL of the given kind.
    ///
    /// White space, control characters and backslashes are refused before parsing, because URL parsers drop or
    /// rewrite them and two parsers need not agree how.
    pub fn parse(text: &str, scheme: Scheme) -> Result<Self, InvalidEndpoint> {
        if text.contains(|character: char| character.is_whitespace() || character.is_control() || character == '\\') {
            return Err(InvalidEndpoint::Syntax);
        }
        let url = Url::parse(text).map_err(|_| InvalidEndpoint::Syntax)?;
        check_scheme(&url, scheme)?;
        if !url.username().is_empty() || url.password().is_some() || authority(text).contains('@') {
            return Err(InvalidEndpoint::UserInfo);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(InvalidEndpoint::QueryOrFragment);
        }
        if !text.contains("://") || url.host_str().is_none_or(str::is_empty) {
            return Err(InvalidEndpoint::Host);
        }
        Ok(Self(url))
    }

    /// The URL.
    pub fn url(&self) -> &Url {
        &self.0
    }

    /// Whether it is reached over TLS.
    pub fn is_tls(&self) -> bool {
        matches!(self.0.scheme(), "https" | "wss")
    }

    /// The host as a name or address without brackets.
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']')
    }

    /// The port, also where it is the scheme's own.
    pub fn port(&self) -> u16 {
        self.0.port_or_known_default().unwrap_or(0)
    }

    /// The address, if the host is one and not a name.
    pub fn literal(&self) -> Option<IpAddr> {
        match self.0.host()? {
            Host::Ipv4(address) => Some(address.into()),
            Host::Ipv6(address) => Some(address.into()),
            Host::Domain(_) => None,
        }
    }

    /// Scheme, host and port: what a credential is bound to.
    pub fn origin(&self) -> String {
        format!("{}://{}:{}", self.0.scheme(), self.0.host_str().unwrap_or_default(), self.port())
    }

    /// The URL with `path` (without a leading slash) appended to the path prefix.
    #[must_use]
    pub fn join(&self, path: &str) -> Url {
        let mut url = self.0.clone();
        let prefix = self.0.path().trim_end_matches('/');
        url.set_path(&format!("{prefix}/{path}"));
        url
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0.as_str())
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Endpoint({})", self.0)
    }
}

fn check_scheme(url: &Url, scheme: Scheme) -> Result<(), InvalidEndpoint> {
    match (scheme, url.scheme()) {
        (Scheme::Http, "http" | "https") | (Scheme::WebSocket, "ws" | "wss") => Ok(()),
        (Scheme::Http, _) => Err(InvalidEndpoint::NotHttp),
        (Scheme::WebSocket, _) => Err(InvalidEndpoint::NotWebSocket),
    }
}

/// The part of the text between `://` and the path, where an `@` can only end user information.
fn authority(text: &str) -> &str {
    let rest = text.split_once("://").map_or("", |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> Option<InvalidEndpoint> {
        Endpoint::parse(text, Scheme::Http).err()
    }

    #[test]
    fn a_base_url_has_no_user_query_or_fragment() {
        assert_eq!(refusal("https://example.com/api/v3"), None);
        assert_eq!(refusal("https://user@example.com"), Some(InvalidEndpoint::UserInfo));
        assert_eq!(refusal("https://:@example.com"), Some(InvalidEndpoint::UserInfo));
        assert_eq!(refusal("https://example.com?x"), Some(InvalidEndpoint::QueryOrFragment));
        assert_eq!(refusal("https://example.com#"), Some(InvalidEndpoint::QueryOrFragment));
        assert_eq!(refusal("ftp://example.com"), Some(InvalidEndpoint::NotHttp));
        assert_eq!(refusal("http:example.com"), Some(InvalidEndpoint::Host));
        assert_eq!(refusal("http://exa\tmple.com"), Some(InvalidEndpoint::Syntax));
        assert_eq!(refusal("http://127.0.0.1:80\\@example.com/"), Some(InvalidEndpoint::Syntax));
    }

    #[test]
    fn literals_are_seen_through_their_spellings() {
        for spelled in ["http://0x7f000001/", "http://2130706433", "http://0177.0.0.1", "http://127.1"] {
            let endpoint = Endpoint::parse(spelled, Scheme::Http).unwrap();
            assert_eq!(endpoint.literal(), Some("127.0.0.1".parse().unwrap()), "{spelled}");
        }
    }

    #[test]
    fn paths_are_appended_to_the_prefix() {
        let endpoint = Endpoint::parse("http://runtime:9090/base/", Scheme::Http).unwrap();
        assert_eq!(endpoint.join("integrations/sync").as_str(), "http://runtime:9090/base/integrations/sync");
        assert_eq!(endpoint.origin(), "http://runtime:9090");
        assert_eq!(Endpoint::parse("wss://h", Scheme::WebSocket).unwrap().origin(), "wss://h:443");
    }
}
