//! Whom each `sslmode` believes, against a server that gets no further than the handshake.

use std::io::Write as _;
use std::sync::Arc;

use nora_store_postgres::{ConnectError, PostgresStore};
use rcgen::{CertificateParams, CertifiedIssuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tempfile::NamedTempFile;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::fixture::options;

/// An authority, written to a file.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    file: NamedTempFile,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let mut file = NamedTempFile::new().unwrap();
        file.write_all(issuer.pem().as_bytes()).unwrap();
        Self { issuer, file }
    }

    /// Starts a server with a certificate for `name` and returns its port.
    async fn serve(&self, name: &str) -> u16 {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = [0; 8];
                stream.read_exact(&mut request).await.unwrap();
                stream.write_all(b"S").await.unwrap();
                // A client that is content goes on to its startup packet, and the connection ends there.
                if let Ok(mut session) = acceptor.accept(stream).await {
                    let _ = session.read_u8().await;
                }
            }
        });
        port
    }
}

/// Whether the client trusted the server far enough to talk to it.
async fn trusts(port: u16, parameters: &str) -> bool {
    let url = format!("postgres://nora:CANARY@127.0.0.1:{port}/nora?{parameters}");
    match PostgresStore::connect(options(&url)).await.unwrap_err() {
        ConnectError::Tls(_) => false,
        ConnectError::Unreachable(_) => true,
        other => panic!("{other:?}"),
    }
}

fn root(authority: &Authority) -> String {
    format!("sslrootcert={}", authority.file.path().display())
}

#[tokio::test]
async fn verify_full_wants_the_name_and_the_authority() {
    let (own, foreign) = (Authority::new(), Authority::new());
    let (right, wrong) = (own.serve("127.0.0.1").await, own.serve("db.example").await);
    assert!(trusts(right, &format!("sslmode=verify-full&{}", root(&own))).await);
    assert!(!trusts(wrong, &format!("sslmode=verify-full&{}", root(&own))).await);
    assert!(!trusts(right, &format!("sslmode=verify-full&{}", root(&foreign))).await);
    assert!(!trusts(right, "sslmode=verify-full").await, "the caller trusts nobody");
    assert!(!trusts(right, "sslmode=verify-full&sslrootcert=system").await, "the caller trusts nobody");
}

#[tokio::test]
async fn verify_ca_wants_the_authority_alone() {
    let (own, foreign) = (Authority::new(), Authority::new());
    let wrong = own.serve("db.example").await;
    for mode in ["verify-ca", "require"] {
        assert!(trusts(wrong, &format!("sslmode={mode}&{}", root(&own))).await, "{mode}");
        assert!(!trusts(wrong, &format!("sslmode={mode}&{}", root(&foreign))).await, "{mode}");
    }
}

#[tokio::test]
async fn require_without_an_authority_believes_anybody() {
    assert!(trusts(Authority::new().serve("db.example").await, "sslmode=require").await);
}

#[tokio::test]
async fn an_authority_that_is_none_is_refused() {
    let refusal = |parameters: &str| {
        let url = format!("postgres://nora:CANARY@127.0.0.1:1/nora?{parameters}");
        async move { PostgresStore::connect(options(&url)).await.unwrap_err() }
    };
    assert!(matches!(refusal("sslmode=verify-ca").await, ConnectError::RootCertificateMissing));
    let missing = refusal("sslmode=verify-ca&sslrootcert=/does/not/exist").await;
    assert!(matches!(missing, ConnectError::RootCertificate(_)), "{missing:?}");
    let empty = NamedTempFile::new().unwrap();
    let empty = refusal(&format!("sslmode=verify-full&sslrootcert={}", empty.path().display())).await;
    assert!(matches!(empty, ConnectError::RootCertificate(_)), "{empty:?}");
}
