//! TLS in front of a fake, as a proxy in front of a real runtime does it.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use rcgen::{CertifiedKey, KeyPair};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ServerConfig, crypto::ring};

/// A port that speaks TLS and hands on what it hears. Nobody trusts its certificate without being told to.
pub struct TlsFront {
    scheme: String,
    address: SocketAddr,
    certificate: CertificateDer<'static>,
    pem: String,
    task: JoinHandle<()>,
}

impl TlsFront {
    /// Starts one in front of the fake at `url`.
    pub async fn start(url: &str) -> Self {
        let (scheme, behind) = url.split_once("://").unwrap();
        let behind: SocketAddr = behind.parse().unwrap();
        let CertifiedKey::<KeyPair> { cert, signing_key } =
            rcgen::generate_simple_self_signed([Ipv4Addr::LOCALHOST.to_string()]).unwrap();
        let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config(cert.der(), key)));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(hand_on(acceptor.clone(), stream, behind));
            }
        });
        Self { scheme: format!("{scheme}s"), address, certificate: cert.der().clone(), pem: cert.pem(), task }
    }

    /// The URL of the fake, with TLS.
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    /// What is to be trusted.
    pub fn certificate(&self) -> CertificateDer<'static> {
        self.certificate.clone()
    }

    /// The same as PEM.
    pub fn pem(&self) -> &str {
        &self.pem
    }
}

impl Drop for TlsFront {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn config(certificate: &CertificateDer<'static>, key: PrivateKeyDer<'static>) -> ServerConfig {
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    config.with_single_cert(vec![certificate.clone()], key).unwrap()
}

async fn hand_on(acceptor: TlsAcceptor, stream: TcpStream, behind: SocketAddr) {
    // Whoever does not trust the certificate is gone by now.
    let Ok(mut session) = acceptor.accept(stream).await else { return };
    let Ok(mut fake) = TcpStream::connect(behind).await else { return };
    let _ = copy_bidirectional(&mut session, &mut fake).await;
}
