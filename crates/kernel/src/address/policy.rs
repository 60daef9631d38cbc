//! Which addresses an installation lets itself call.

use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;

use super::table::{is_global, is_metadata};

/// A list of networks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Networks(Vec<IpNet>);

/// The text is not a comma-separated list of CIDR networks or addresses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a comma-separated list of networks such as 10.0.0.0/8")]
pub struct InvalidNetworks;

impl Networks {
    /// Whether `address` lies in one of the networks.
    pub fn contain(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// Whether the list is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromStr for Networks {
    type Err = InvalidNetworks;

    fn from_str(text: &str) -> Result<Self, InvalidNetworks> {
        let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        entries.map(|entry| parse_network(entry).ok_or(InvalidNetworks)).collect::<Result<_, _>>().map(Self)
    }
}

fn parse_network(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

/// Private networks in which runtimes live unless the operator says otherwise.
const PRIVATE: &str = "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,100.64.0.0/10,fd00::/8";
const LOOPBACK: &str = "127.0.0.0/8,::1/128";

/// Decides about addresses. Metadata services are refused whatever the lists say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkPolicy {
    listed: Networks,
    public: bool,
}

impl NetworkPolicy {
    /// For calls to third parties: the public internet, and what the operator lists.
    pub fn third_parties(allowed: Networks) -> Self {
        Self { listed: allowed, public: true }
    }

    /// For runtimes: what the operator lists and nothing else.
    pub fn runtimes(listed: Networks) -> Self {
        Self { listed, public: false }
    }

    /// For runtimes when the operator lists nothing: private networks, the public internet, and this machine if
    /// `loopback`.
    pub fn runtimes_by_default(loopback: bool) -> Self {
        let text = if loopback { format!("{PRIVATE},{LOOPBACK}") } else { PRIVATE.to_owned() };
        Self { listed: text.parse().unwrap_or_default(), public: true }
    }

    /// Whether the operator listed networks at all.
    ///
    /// Only then can a name lead to an address that may be sent a credential without TLS; which address it is, is
    /// asked of [`permits_plaintext`](Self::permits_plaintext) once the name is resolved.
    pub fn lists_networks(&self) -> bool {
        !self.listed.is_empty()
    }

    /// Whether `address` may be called at all.
    pub fn permits(&self, address: IpAddr) -> bool {
        !is_metadata(address) && (self.listed.contain(address) || (self.public && is_global(address)))
    }

    /// Whether `address` may be sent a credential without TLS: only where the operator listed it and it is not
    /// public.
    pub fn permits_plaintext(&self, address: IpAddr) -> bool {
        self.permits(address) && self.listed.contain(address) && !is_global(address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permits(policy: &NetworkPolicy, address: &str) -> (bool, bool) {
        let address = address.parse().unwrap();
        (policy.permits(address), policy.permits_plaintext(address))
    }

    #[test]
    fn third_parties_are_public_unless_listed() {
        let policy = NetworkPolicy::third_parties("10.1.0.0/16, 192.168.7.7".parse().unwrap());
        assert_eq!(permits(&policy, "1.1.1.1"), (true, false));
        assert_eq!(permits(&policy, "10.1.2.3"), (true, true));
        assert_eq!(permits(&policy, "::ffff:10.1.2.3"), (true, true));
        assert_eq!(permits(&policy, "192.168.7.7"), (true, true));
        assert_eq!(permits(&policy, "10.2.0.1"), (false, false));
        assert_eq!(permits(&policy, "127.0.0.1"), (false, false));
        assert!(policy.lists_networks());
        assert!(!NetworkPolicy::third_parties(Networks::default()).lists_networks());
    }

    #[test]
    fn no_list_opens_a_metadata_service() {
        let policy = NetworkPolicy::third_parties("0.0.0.0/0,::/0".parse().unwrap());
        assert_eq!(permits(&policy, "169.254.169.254"), (false, false));
        assert_eq!(permits(&policy, "127.0.0.1"), (true, true));
    }

    #[test]
    fn runtimes_live_in_private_networks_and_on_this_machine_only_if_said() {
        assert_eq!(permits(&NetworkPolicy::runtimes_by_default(true), "127.0.0.1"), (true, true));
        assert_eq!(permits(&NetworkPolicy::runtimes_by_default(false), "127.0.0.1"), (false, false));
        assert_eq!(permits(&NetworkPolicy::runtimes_by_default(false), "192.168.1.9"), (true, true));
        assert_eq!(permits(&NetworkPolicy::runtimes_by_default(false), "1.1.1.1"), (true, false));
        let listed = NetworkPolicy::runtimes("172.20.0.0/16".parse().unwrap());
        assert_eq!(permits(&listed, "1.1.1.1"), (false, false));
        assert_eq!(permits(&listed, "172.20.3.4"), (true, true));
    }

    #[test]
    fn a_list_that_does_not_parse_is_refused() {
        for refused in ["10.0.0.0/33", "localhost", "10.0.0.0/8;1.1.1.1", "10.0.0.0-10.0.0.9"] {
            assert_eq!(refused.parse::<Networks>(), Err(InvalidNetworks), "{refused}");
        }
        assert!("".parse::<Networks>().unwrap().is_empty());
    }
}
