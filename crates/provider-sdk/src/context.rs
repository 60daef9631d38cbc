//! The I/O a provider is given.

use async_trait::async_trait;
use nora_kernel::Clock;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::{HttpClient, Unreachable};

/// A connected byte stream.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Why a connection could not be made or did not answer. It holds no text of a peer or resolver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// The host name does not resolve.
    #[error("the host name does not resolve")]
    Dns,
    /// No trusted TLS session could be made.
    #[error("no trusted TLS session could be made")]
    Tls,
    /// No answer in time.
    #[error("no answer in time")]
    Timeout,
    /// The connection was refused or cut.
    #[error("the connection was refused or cut")]
    Refused,
    /// The address guard refuses the address.
    #[error("the address lies in a network that is not called")]
    BlockedAddress,
    /// The answer is larger than the context allows.
    #[error("the answer is too large")]
    TooLarge,
    /// The peer does not speak the protocol.
    #[error("the answer is not the protocol's")]
    Protocol,
}

impl From<NetworkError> for Unreachable {
    fn from(error: NetworkError) -> Self {
        match error {
            NetworkError::Dns => Self::Dns,
            NetworkError::Tls => Self::Tls,
            NetworkError::Timeout => Self::Timeout,
            NetworkError::Refused => Self::Refused,
            NetworkError::BlockedAddress => Self::BlockedAddress,
            NetworkError::TooLarge | NetworkError::Protocol => Self::UpstreamError,
        }
    }
}

/// Whether the bytes of a connection are protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// Nothing but TLS carries what matters: either from the first byte on, or after a STARTTLS that is insisted on.
    Tls,
    /// Credentials may travel in the clear.
    Plaintext,
}

/// What a provider does I/O with.
///
/// Every way out goes through one address guard, one deadline for all steps of a test together, and one size cap.
/// A provider resolves no name and opens no socket itself.
#[async_trait]
pub trait Context: Send + Sync {
    /// Guarded HTTP.
    fn http(&self) -> &dyn HttpClient;

    /// The time now.
    fn clock(&self) -> &dyn Clock;

    /// Connects to `host` (a name or an address) over TCP.
    ///
    /// With [`Transport::Tls`] the provider promises to say nothing that matters before it has started TLS. With
    /// [`Transport::Plaintext`] the guard lets through only addresses that may be told a credential in the clear:
    /// private ones that the operator listed.
    ///
    /// Reading and writing end with [`std::io::ErrorKind::TimedOut`] when the deadline is over.
    async fn connect(&self, host: &str, port: u16, transport: Transport) -> Result<Box<dyn Stream>, NetworkError>;

    /// Starts a TLS session on `stream` and verifies that the peer is `host`.
    async fn start_tls(&self, stream: Box<dyn Stream>, host: &str) -> Result<Box<dyn Stream>, NetworkError>;
}
