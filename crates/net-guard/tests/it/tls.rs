//! TLS sessions over dialled streams.

use std::sync::Arc;

use nora_net_guard::{Tls, Transport, install_default_provider};
use nora_provider_sdk::NetworkError;
use rustls::ServerConfig;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;

use crate::support::{PUBLIC, Peer, Script, certificate, guard};

async fn tls_peer(config: Arc<ServerConfig>) -> Peer {
    Peer::start(PUBLIC, 0, move |stream| {
        let acceptor = TlsAcceptor::from(Arc::clone(&config));
        async move {
            if let Ok(mut session) = acceptor.accept(stream).await {
                let _ = session.write_all(b"inside").await;
                let _ = session.shutdown().await;
            }
        }
    })
    .await
}

#[tokio::test]
async fn a_trusted_peer_of_the_right_name_is_spoken_to() {
    let (root, config) = certificate("db.test");
    let peer = tls_peer(config).await;
    let guard = guard(PUBLIC, Script::new(&[("db.test", &[&[PUBLIC]])]), &[root]);
    let stream = guard.dial("db.test", peer.port(), Transport::Tls).await.unwrap();
    let mut session = guard.start_tls(stream, "db.test.").await.unwrap();
    let mut text = String::new();
    session.read_to_string(&mut text).await.unwrap();
    assert_eq!(text, "inside");
}

#[tokio::test]
async fn another_name_or_an_unknown_authority_is_refused() {
    let (root, config) = certificate("db.test");
    let peer = tls_peer(config).await;
    let trusting = guard(PUBLIC, Script::new(&[]), &[root]);
    for name in ["other.test", PUBLIC] {
        let stream = trusting.dial(PUBLIC, peer.port(), Transport::Tls).await.unwrap();
        assert_eq!(trusting.start_tls(stream, name).await.err(), Some(NetworkError::Tls), "{name}");
    }
    let strict = guard(PUBLIC, Script::new(&[]), &[]);
    let stream = strict.dial(PUBLIC, peer.port(), Transport::Tls).await.unwrap();
    assert_eq!(strict.start_tls(stream, "db.test").await.err(), Some(NetworkError::Tls));
}

#[tokio::test]
async fn a_peer_that_speaks_no_tls_is_a_tls_failure() {
    let plain = Peer::start(PUBLIC, 0, |mut stream| async move {
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        let _ = stream.read_u8().await;
    })
    .await;
    let closing = Peer::start(PUBLIC, 0, |mut stream| async move {
        let _ = stream.read_u8().await;
    })
    .await;
    let guard = guard(PUBLIC, Script::new(&[]), &[]);
    for peer in [plain, closing] {
        let stream = guard.dial(PUBLIC, peer.port(), Transport::Tls).await.unwrap();
        assert_eq!(guard.start_tls(stream, "db.test").await.err(), Some(NetworkError::Tls));
    }
}

#[test]
fn the_default_provider_may_be_installed_twice() {
    install_default_provider();
    install_default_provider();
    let default = rustls::crypto::CryptoProvider::get_default().unwrap();
    assert_eq!(default.cipher_suites, rustls::crypto::ring::default_provider().cipher_suites);
}

#[test]
fn a_root_that_is_no_certificate_is_refused() {
    assert!(Tls::new(&[b"nonsense".to_vec().into()]).is_err());
}
