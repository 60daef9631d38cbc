//! Streams, plain and encrypted.

use std::sync::Arc;

use nora_provider_sdk::{NetworkError, Transport};
use rcgen::{CertifiedKey, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;

use crate::support::{egress, egress_to, peer, silent};

#[tokio::test]
async fn a_protocol_may_switch_to_tls() {
    let CertifiedKey::<KeyPair> { cert, signing_key } =
        rcgen::generate_simple_self_signed(["mail.test".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let server = peer(move |mut stream| {
        let acceptor = acceptor.clone();
        async move {
            let mut command = [0; 10];
            stream.read_exact(&mut command).await.unwrap();
            assert_eq!(&command, b"STARTTLS\r\n");
            stream.write_all(b"220 go\r\n").await.unwrap();
            if let Ok(mut session) = acceptor.accept(stream).await {
                session.write_all(b"250 inside\r\n").await.unwrap();
                let _ = session.shutdown().await;
            }
        }
    })
    .await;
    let context = egress_to("127.0.0.1", &[cert.der().clone()]).context();
    for (host, trusted) in [("mail.test", true), ("other.test", false)] {
        let mut stream = context.connect(host, server.port(), Transport::Tls).await.unwrap();
        stream.write_all(b"STARTTLS\r\n").await.unwrap();
        let mut go = [0; 8];
        stream.read_exact(&mut go).await.unwrap();
        match context.start_tls(stream, host).await {
            Ok(mut session) => {
                let mut text = String::new();
                session.read_to_string(&mut text).await.unwrap();
                assert_eq!((text.as_str(), trusted), ("250 inside\r\n", true));
            }
            Err(error) => assert_eq!((error, trusted), (NetworkError::Tls, false)),
        }
    }
}

/// What comes through a stream from a peer that sends `length` bytes and closes, and how it ends.
async fn received(length: usize) -> (usize, Option<NetworkError>) {
    let sender = peer(move |mut stream| async move {
        let _ = stream.write_all(&vec![b'x'; length]).await;
    })
    .await;
    let context = egress().context();
    let mut stream = context.connect("127.0.0.1", sender.port(), Transport::Tls).await.unwrap();
    let mut read = Vec::new();
    let end = stream.read_to_end(&mut read).await.err();
    (read.len(), end.map(|error| *error.get_ref().unwrap().downcast_ref().unwrap()))
}

#[tokio::test]
async fn a_stream_brings_in_no_more_than_the_cap() {
    assert_eq!(received(65_536).await, (65_536, None));
    assert_eq!(received(65_537).await, (65_536, Some(NetworkError::TooLarge)));
    assert_eq!(received(10_000_000).await, (65_536, Some(NetworkError::TooLarge)));
}

#[tokio::test]
async fn credentials_in_the_clear_go_to_listed_networks_alone() {
    let sink = silent().await;
    let context = egress_to("127.0.0.0/8", &[]).context();
    assert!(context.connect("127.0.0.1", sink.port(), Transport::Plaintext).await.is_ok());
    for host in ["1.1.1.1", "10.0.0.1"] {
        let refused = context.connect(host, 5432, Transport::Plaintext).await.err();
        assert_eq!(refused, Some(NetworkError::BlockedAddress), "{host}");
    }
}

#[tokio::test]
async fn the_guard_stands_in_front() {
    let context = egress_to("", &[]).context();
    for host in ["127.0.0.1", "localhost", "db.example.com", "::1"] {
        assert_eq!(
            context.connect(host, 5432, Transport::Tls).await.err(),
            Some(NetworkError::BlockedAddress),
            "{host}"
        );
    }
}
