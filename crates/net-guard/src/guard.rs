//! The guard: which of a host's addresses may be called.

use std::net::IpAddr;
use std::sync::Arc;

use nora_kernel::address::{NetworkPolicy, is_global, is_web_port};
use nora_provider_sdk::{NetworkError, Stream, Transport};
use tokio_rustls::client::TlsStream;
use url::Url;

use crate::host::{self, Host};
use crate::{Resolver, Tls};

/// More addresses than this for one name are no answer.
const MOST_ADDRESSES: usize = 64;

/// Decides where connections may lead, and makes them. Cloning it is cheap.
#[derive(Clone)]
pub struct Guard {
    policy: Arc<NetworkPolicy>,
    resolver: Arc<dyn Resolver>,
    tls: Tls,
}

impl Guard {
    /// A guard that holds to `policy`.
    pub fn new(policy: NetworkPolicy, resolver: Arc<dyn Resolver>, tls: Tls) -> Self {
        Self { policy: Arc::new(policy), resolver, tls }
    }

    /// The TLS configuration of its connections.
    pub fn tls(&self) -> &Tls {
        &self.tls
    }

    /// The addresses of `host` (a name or an address in any spelling), all of which may be called over `transport`.
    ///
    /// # Errors
    ///
    /// [`NetworkError::BlockedAddress`] if one of them may not: the good ones of a mixed answer are not used.
    /// [`NetworkError::Dns`] if there are none, or absurdly many.
    pub async fn addresses(&self, host: &str, transport: Transport) -> Result<Vec<IpAddr>, NetworkError> {
        match Host::parse(host).ok_or(NetworkError::Dns)? {
            Host::Address(address) => self.check(address, transport).map(|()| vec![address]),
            Host::Name(name) => self.resolve(&name, transport).await,
        }
    }

    /// Checks what a URL says by itself: its scheme, its port, and its host where that is an address.
    ///
    /// # Errors
    ///
    /// [`NetworkError::BlockedAddress`], or [`NetworkError::Dns`] if the host is no name.
    pub fn check_url(&self, url: &Url) -> Result<Transport, NetworkError> {
        let transport = match url.scheme() {
            "https" | "wss" => Transport::Tls,
            "http" | "ws" => Transport::Plaintext,
            _ => return Err(NetworkError::BlockedAddress),
        };
        let has_user = !url.username().is_empty() || url.password().is_some();
        if has_user || !url.port_or_known_default().is_some_and(is_web_port) {
            return Err(NetworkError::BlockedAddress);
        }
        if let Host::Address(address) = url.host_str().and_then(Host::parse).ok_or(NetworkError::Dns)? {
            self.check(address, transport)?;
        }
        Ok(transport)
    }

    /// Starts a TLS session on `stream`, within 3 seconds, and verifies that the peer is `host`.
    pub async fn start_tls<S: Stream>(&self, stream: S, host: &str) -> Result<TlsStream<S>, NetworkError> {
        self.tls.start(stream, host).await
    }

    async fn resolve(&self, name: &str, transport: Transport) -> Result<Vec<IpAddr>, NetworkError> {
        let addresses = self.resolver.resolve(name).await.map_err(|_| NetworkError::Dns)?;
        if !(1..=MOST_ADDRESSES).contains(&addresses.len()) {
            return Err(NetworkError::Dns);
        }
        let private = host::is_private(name);
        for address in &addresses {
            self.check(*address, transport)?;
            if private && is_global(*address) {
                return Err(NetworkError::BlockedAddress);
            }
        }
        Ok(addresses)
    }

    fn check(&self, address: IpAddr, transport: Transport) -> Result<(), NetworkError> {
        let permitted = match transport {
            Transport::Tls => self.policy.permits(address),
            Transport::Plaintext => self.policy.permits_plaintext(address),
        };
        if permitted { Ok(()) } else { Err(NetworkError::BlockedAddress) }
    }
}
