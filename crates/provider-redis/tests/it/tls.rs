//! TLS in front of the server: a relay that ends it, as a load balancer would.

use std::net::SocketAddr;
use std::time::Duration;

use nora_provider_sdk::{Unreachable, Verdict};
use nora_provider_testkit::{Authority, Identity, LoopbackContext};
use serde_json::json;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::server::{Server, test};

async fn relay(target: SocketAddr, identity: &Identity) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let acceptor = TlsAcceptor::from(identity.server());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            if let Ok(mut secured) = acceptor.accept(stream).await {
                let mut server = TcpStream::connect(target).await.unwrap();
                let _ = copy_bidirectional(&mut secured, &mut server).await;
            }
        }
    });
    address
}

#[tokio::test]
async fn a_trusted_certificate_is_spoken_to_unless_told_otherwise() {
    let server = Server::given();
    let authority = Authority::new();
    let address = relay(server.address, &authority.issue(&["cache.example.com"])).await;
    for config in [json!({}), json!({ "tls": true })] {
        let context = LoopbackContext::to(address).trusting(&authority);
        assert_eq!(test(&context, &server.password, config).await.verdict, Verdict::Verified);
        assert_eq!(context.secured(), ["cache.example.com"]);
    }
}

#[tokio::test]
async fn no_other_certificate_is() {
    let server = Server::given();
    let authority = Authority::new();
    let other_host = relay(server.address, &authority.issue(&["other.example.com"])).await;
    let stranger = relay(server.address, &Authority::new().issue(&["cache.example.com"])).await;
    for address in [other_host, stranger] {
        let context = LoopbackContext::to(address).trusting(&authority);
        let outcome = test(&context, &server.password, json!({})).await;
        assert_eq!(outcome.verdict, Verdict::Unreachable(Unreachable::Tls));
    }
}

/// It waits for the rest of what it takes for a command.
#[tokio::test]
async fn a_server_without_tls_is_not_told_the_password() {
    let server = Server::given();
    let context = LoopbackContext::to(server.address).trusting(&Authority::new()).within(Duration::from_millis(500));
    let outcome = test(&context, &server.password, json!({})).await;
    assert_eq!(outcome.verdict, Verdict::Unreachable(Unreachable::Timeout));
    assert!(outcome.advice.unwrap().contains("switch TLS off"));
}
