//! The TLS configuration of every outgoing connection.

use std::sync::Arc;
use std::time::Duration;

use nora_provider_sdk::{NetworkError, Stream};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::failure;
use crate::host::Host;

/// How long a TLS handshake may take.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(3);

/// The TLS configuration could not be built: a given root certificate does not parse.
#[derive(Debug, thiserror::Error)]
#[error("the TLS configuration could not be built")]
pub struct TlsError(#[from] rustls::Error);

/// Makes ring the cryptography of every library that asks rustls for a default. Calling it again changes nothing.
pub fn install_default_provider() {
    // The error says that there is a default already.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// One TLS configuration for everything that dials out. Cloning it is cheap.
#[derive(Debug, Clone)]
pub struct Tls(Arc<ClientConfig>);

impl Tls {
    /// Trusts Mozilla's roots, the system's, and `extra`.
    ///
    /// # Errors
    ///
    /// One of `extra` is no certificate.
    pub fn new(extra: &[CertificateDer<'static>]) -> Result<Self, TlsError> {
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        for certificate in extra {
            roots.add(certificate.clone())?;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self(Arc::new(config)))
    }

    /// The configuration itself, for libraries that make their own sessions over a dialled stream.
    pub fn config(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.0)
    }

    /// Starts a session on `stream` and verifies that the peer is `host` (a name or an address).
    pub(crate) async fn start<S: Stream>(&self, stream: S, host: &str) -> Result<TlsStream<S>, NetworkError> {
        let name = match Host::parse(host).ok_or(NetworkError::Dns)? {
            Host::Address(address) => ServerName::from(address),
            Host::Name(name) => ServerName::try_from(name).map_err(|_| NetworkError::Tls)?,
        };
        let session = TlsConnector::from(self.config()).connect(name, stream);
        let session = timeout(HANDSHAKE_TIMEOUT, session).await.map_err(|_| NetworkError::Timeout)?;
        session.map_err(|error| failure::of_handshake(&error))
    }
}
