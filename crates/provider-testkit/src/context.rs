//! A context that leads every host to one address.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use nora_provider_sdk::{Clock, Context, HttpClient, NetworkError, Request, Response, Stream, Timestamp, Transport};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_rustls::TlsConnector;

use crate::certificate::{distrustful, trusting_pem};
use crate::http::{broken, exchange};
use crate::stream::Deadlined;
use crate::{Authority, Service};

/// A connection a provider asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dialed {
    /// The host it meant.
    pub host: String,
    /// The port it meant.
    pub port: u16,
}

/// A context for tests: whatever host a provider names, the connection goes to one address on this machine.
///
/// It guards nothing, and says what it was asked for.
pub struct LoopbackContext {
    target: SocketAddr,
    failure: Option<NetworkError>,
    never_in_the_clear: bool,
    tls: Option<Arc<ClientConfig>>,
    deadline: Instant,
    cap: usize,
    dialed: Mutex<Vec<Dialed>>,
    secured: Mutex<Vec<String>>,
}

impl LoopbackContext {
    /// Leads to `target`. `https` is spoken in the clear, until [`trusting`](Self::trusting) says otherwise.
    pub fn to(target: SocketAddr) -> Self {
        Self {
            target,
            failure: None,
            never_in_the_clear: false,
            tls: None,
            deadline: Instant::now() + Duration::from_secs(5),
            cap: 64 * 1024,
            dialed: Mutex::default(),
            secured: Mutex::default(),
        }
    }

    /// Leads to `service`.
    pub fn to_service(service: &Service) -> Self {
        Self::to(service.address())
    }

    /// Fails every connection with `error`.
    pub fn failing(error: NetworkError) -> Self {
        Self { failure: Some(error), ..Self::to(SocketAddr::from((Ipv4Addr::LOCALHOST, 9))) }
    }

    /// Refuses connections over which a credential may go in the clear, as the guard does for public addresses.
    #[must_use]
    pub fn never_in_the_clear(mut self) -> Self {
        self.never_in_the_clear = true;
        self
    }

    /// Speaks TLS, and trusts this authority alone.
    #[must_use]
    pub fn trusting(mut self, authority: &Authority) -> Self {
        self.tls = Some(authority.client());
        self
    }

    /// Speaks TLS, and trusts this authority alone, whose certificate is given as PEM.
    #[must_use]
    pub fn trusting_pem(mut self, authority: &str) -> Self {
        self.tls = Some(trusting_pem(authority));
        self
    }

    /// Speaks TLS, and trusts nobody.
    #[must_use]
    pub fn trusting_nobody(mut self) -> Self {
        self.tls = Some(distrustful());
        self
    }

    /// Gives everything together this long. 5 seconds, unless said.
    #[must_use]
    pub fn within(mut self, time: Duration) -> Self {
        self.deadline = Instant::now() + time;
        self
    }

    /// The connections that were asked for.
    pub fn dialed(&self) -> Vec<Dialed> {
        self.dialed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The hosts TLS sessions were started with.
    pub fn secured(&self) -> Vec<String> {
        self.secured.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn open(&self, request: &Request) -> Result<Box<dyn Stream>, NetworkError> {
        let host = request.url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let transport = if request.url.scheme() == "https" { Transport::Tls } else { Transport::Plaintext };
        let stream = self.connect(host, request.url.port_or_known_default().unwrap_or(0), transport).await?;
        if request.url.scheme() == "https" && self.tls.is_some() {
            return self.start_tls(stream, host).await;
        }
        Ok(stream)
    }
}

#[async_trait]
impl HttpClient for LoopbackContext {
    async fn send(&self, request: Request) -> Result<Response, NetworkError> {
        let mut stream = self.open(&request).await?;
        exchange(&mut stream, &request, self.cap).await
    }
}

impl Clock for LoopbackContext {
    /// The same time always: 2026-11-23T09:00:00Z.
    fn now(&self) -> Timestamp {
        Timestamp::from_microseconds(1_795_424_400_000_000)
    }
}

#[async_trait]
impl Context for LoopbackContext {
    fn http(&self) -> &dyn HttpClient {
        self
    }

    fn clock(&self) -> &dyn Clock {
        self
    }

    async fn connect(&self, host: &str, port: u16, transport: Transport) -> Result<Box<dyn Stream>, NetworkError> {
        let dialed = Dialed { host: host.to_owned(), port };
        self.dialed.lock().unwrap_or_else(PoisonError::into_inner).push(dialed);
        if let Some(error) = self.failure {
            return Err(error);
        }
        if transport == Transport::Plaintext && self.never_in_the_clear {
            return Err(NetworkError::BlockedAddress);
        }
        let connected = tokio::time::timeout_at(self.deadline, TcpStream::connect(self.target)).await;
        let stream = connected.map_err(|_| NetworkError::Timeout)?.map_err(|error| broken(&error))?;
        Ok(Box::new(Deadlined::new(stream, self.deadline)))
    }

    async fn start_tls(&self, stream: Box<dyn Stream>, host: &str) -> Result<Box<dyn Stream>, NetworkError> {
        self.secured.lock().unwrap_or_else(PoisonError::into_inner).push(host.to_owned());
        let name = ServerName::try_from(host.to_owned()).map_err(|_| NetworkError::Tls)?;
        let connector = TlsConnector::from(self.tls.clone().unwrap_or_else(distrustful));
        let stream = connector.connect(name, stream).await.map_err(|error| match broken(&error) {
            NetworkError::Timeout => NetworkError::Timeout,
            _ => NetworkError::Tls,
        })?;
        Ok(Box::new(stream))
    }
}
