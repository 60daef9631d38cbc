//! Where a context leads, and what it shows there.

use nora_provider_sdk::Secret;
use serde_json::{Map, Value};
use url::Url;

use crate::kubeconfig::text_of;

const BAD_SERVER: &str = "must name the API server of the chosen context by a plain https URL, without user name, password, query and fragment, with port 443 or one from 1024 up";
const BAD_TOKEN: &str = "has a token that cannot be one: it holds characters that fit into no header";

const OWN_AUTHORITY: &str = "Nothing was sent: the cluster's certificate is signed by an authority of its own (certificate-authority-data), which a connection test does not trust. Agents that are given the kubeconfig do.";
const CERTIFICATE: &str = "Nothing was sent: the user logs in with a client certificate, which a connection test does not show. A service account's token can be tested.";
const PROXY: &str = "Nothing was sent: the cluster is reached through a proxy, which a connection test does not use.";
const TLS_NAME: &str = "Nothing was sent: the cluster's certificate is for another name (tls-server-name), which a connection test does not take.";
const NO_TOKEN: &str = "Nothing was sent: the user of the chosen context has no token.";

/// How a context gets to its API server.
pub(crate) struct Access {
    pub(crate) server: Url,
    /// The bearer token, or why nothing can be tested.
    pub(crate) token: Result<Secret, &'static str>,
}

impl Access {
    /// The error says what to change, and repeats nothing.
    pub(crate) fn new(cluster: &Map<String, Value>, user: &Map<String, Value>) -> Result<Self, &'static str> {
        let server = text_of(cluster, "server").and_then(server).ok_or(BAD_SERVER)?;
        let token = text_of(user, "token");
        if token.is_some_and(|token| !token.bytes().all(|byte| byte.is_ascii_graphic())) {
            return Err(BAD_TOKEN);
        }
        let obstacle = obstacle(cluster, user);
        let token = obstacle.map_or_else(|| token.ok_or(NO_TOKEN), Err);
        Ok(Self { server, token: token.map(|token| Secret::new(token.to_owned())) })
    }
}

/// What a test's HTTP cannot do.
fn obstacle(cluster: &Map<String, Value>, user: &Map<String, Value>) -> Option<&'static str> {
    let has = |members: &Map<String, Value>, key: &str| text_of(members, key).is_some();
    if has(user, "client-certificate-data") || has(user, "client-key-data") {
        Some(CERTIFICATE)
    } else if has(cluster, "proxy-url") {
        Some(PROXY)
    } else if has(cluster, "certificate-authority-data") {
        Some(OWN_AUTHORITY)
    } else if has(cluster, "tls-server-name") {
        Some(TLS_NAME)
    } else {
        None
    }
}

/// The URL, if it is one a token may be sent to. Whether its host may be called is asked when it is.
fn server(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let host = url.host_str()?;
    let authority = text.split_once("://")?.1.split(['/', '?', '#']).next()?;
    let port = url.port_or_known_default()?;
    let is_allowed = url.scheme() == "https" && (port == 443 || port >= 1024);
    let names_nobody = url.username().is_empty() && url.password().is_none() && !authority.contains('@');
    let ends_in_path = url.query().is_none() && url.fragment().is_none();
    // Parsers read many spellings of one host: the plain one is taken, so that all who read it go to one place.
    let is_plain = authority.get(..host.len()).is_some_and(|written| written.eq_ignore_ascii_case(host))
        && matches!(authority.get(host.len()..)?.chars().next(), None | Some(':'));
    (is_allowed && names_nobody && ends_in_path && is_plain).then_some(url)
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
            assert!(server(good).is_some(), "{good}");
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
            assert!(server(bad).is_none(), "{bad}");
        }
    }
}
