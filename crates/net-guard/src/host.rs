//! Host names as users spell them.

use std::net::IpAddr;

/// A host, after every spelling of an address has been seen through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Host {
    Address(IpAddr),
    /// A domain name in lower-case ASCII, without a trailing dot.
    Name(String),
}

/// Namespaces that only lead into private networks: RFC 6761, 6762 (with its appendix G), 8375, the `.internal` that
/// ICANN set aside, and the cluster names of Kubernetes.
const PRIVATE_SUFFIXES: &[&str] = &[
    "localhost",
    "local",
    "internal",
    "intranet",
    "private",
    "corp",
    "home",
    "lan",
    "home.arpa",
    "localdomain",
    "svc",
];

/// Namespaces the domain name system does not serve (RFC 6761, RFC 7686).
const UNSERVED_SUFFIXES: &[&str] = &["invalid", "onion"];

impl Host {
    /// Parses a name, an address in any spelling a URL parser understands, or a bracketed IPv6 address.
    ///
    /// `None` if it is no host, or a name that no resolver is to be asked for.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if let Ok(address) = text.parse() {
            return Some(Self::Address(address));
        }
        match url::Host::parse(text).ok()? {
            url::Host::Ipv4(address) => Some(Self::Address(address.into())),
            url::Host::Ipv6(address) => Some(Self::Address(address.into())),
            url::Host::Domain(name) => {
                let name = name.strip_suffix('.').unwrap_or(&name).to_owned();
                (is_well_formed(&name) && !has_suffix(&name, UNSERVED_SUFFIXES)).then_some(Self::Name(name))
            }
        }
    }
}

/// Whether a name belongs to a namespace that never leads to a public address.
pub(crate) fn is_private(name: &str) -> bool {
    !name.contains('.') || has_suffix(name, PRIVATE_SUFFIXES)
}

fn has_suffix(name: &str, suffixes: &[&str]) -> bool {
    let ends_in = |suffix: &&str| name.strip_suffix(*suffix).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    suffixes.iter().any(ends_in)
}

fn is_well_formed(name: &str) -> bool {
    let label = |label: &str| {
        let inner = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        (1..=63).contains(&label.len()) && inner
    };
    name.len() <= 253 && name.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_an_address_is_an_address() {
        let loopback = Some(Host::Address("127.0.0.1".parse().unwrap()));
        for spelled in ["127.0.0.1", "0x7f000001", "2130706433", "127.1", "0177.0.0.1", "%31%32%37.0.0.1", "①②⑦.0.0.1"]
        {
            assert_eq!(Host::parse(spelled), loopback, "{spelled}");
        }
        for spelled in ["::1", "[::1]", "0:0:0:0:0:0:0:1"] {
            assert_eq!(Host::parse(spelled), Some(Host::Address("::1".parse().unwrap())), "{spelled}");
        }
    }

    #[test]
    fn what_is_no_host_is_refused() {
        let long = format!("{}.example.com", "a".repeat(64));
        for refused in
            ["", ".", "a..b", "fe80::1%eth0", "a b", "a/b", "a@b", "x.onion", "invalid", "[127.0.0.1]", &long]
        {
            assert_eq!(Host::parse(refused), None, "{refused}");
        }
    }

    #[test]
    fn private_names_are_told_from_public_ones() {
        for private in ["runtime", "localhost", "foo.localhost", "a.default.svc", "db.svc.cluster.local", "x.home.arpa"]
        {
            assert!(is_private(private), "{private}");
        }
        for public in ["example.com", "localhost.example.com", "10.example.com", "notlocal.dev", "mylocalhost.io"] {
            assert!(!is_private(public), "{public}");
        }
    }
}
