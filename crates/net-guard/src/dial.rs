//! Streams for protocols that are not HTTP.

use std::net::IpAddr;
use std::time::Duration;

use nora_provider_sdk::NetworkError;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::{Guard, Transport, failure};

/// How long a connection may take, from the name to the open stream.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// What one of several addresses is given at least.
const LEAST_SHARE: Duration = Duration::from_millis(750);

impl Guard {
    /// Connects to `host` (a name or an address) within 3 seconds, trying its addresses one after another.
    ///
    /// With [`Transport::Tls`] the caller promises to send nothing that matters before it has started TLS.
    pub async fn dial(&self, host: &str, port: u16, transport: Transport) -> Result<TcpStream, NetworkError> {
        if port == 0 {
            return Err(NetworkError::BlockedAddress);
        }
        let stream = async { connect(&self.addresses(host, transport).await?, port).await };
        timeout(CONNECT_TIMEOUT, stream).await.unwrap_or(Err(NetworkError::Timeout))
    }
}

async fn connect(addresses: &[IpAddr], port: u16) -> Result<TcpStream, NetworkError> {
    let count = u32::try_from(addresses.len()).unwrap_or(u32::MAX).max(1);
    let share = (CONNECT_TIMEOUT / count).max(LEAST_SHARE);
    let mut failed = NetworkError::Refused;
    for address in addresses {
        match timeout(share, TcpStream::connect((*address, port))).await {
            Ok(Ok(stream)) => {
                // Only a closed socket refuses this, and its first use will say so.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Ok(Err(error)) => failed = failure::of_stream(&error),
            Err(_) => failed = NetworkError::Timeout,
        }
    }
    Err(failed)
}
