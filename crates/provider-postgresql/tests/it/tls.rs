//! TLS in front of the cluster: a relay that ends it, as a load balancer would.

use std::net::SocketAddr;

use nora_provider_sdk::{Unreachable, Verdict};
use nora_provider_testkit::{Authority, Identity, LoopbackContext};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::cluster::{Guest, PASSWORD, test};

/// Takes the request for TLS, ends TLS, and relays to `target`.
async fn relay(target: SocketAddr, identity: &Identity) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let acceptor = TlsAcceptor::from(identity.server());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 8];
            stream.read_exact(&mut request).await.unwrap();
            assert_eq!(request, [0, 0, 0, 8, 4, 210, 22, 47]);
            stream.write_all(b"S").await.unwrap();
            if let Ok(mut secured) = acceptor.accept(stream).await {
                let mut server = TcpStream::connect(target).await.unwrap();
                let _ = copy_bidirectional(&mut secured, &mut server).await;
            }
        }
    });
    address
}

#[tokio::test]
async fn a_trusted_certificate_is_spoken_to() {
    let guest = Guest::arrive("tls").await;
    let authority = Authority::new();
    let address = relay(guest.address(), &authority.issue(&["db.example.com"])).await;
    for sslmode in ["prefer", "require", "verify-ca", "verify-full"] {
        let context = LoopbackContext::to(address).trusting(&authority);
        let outcome = test(&context, &guest.name, &guest.name, PASSWORD, sslmode).await;
        assert_eq!(outcome.verdict, Verdict::Verified, "{sslmode}");
        assert_eq!(context.secured(), ["db.example.com"], "{sslmode}");
    }
    guest.leave().await;
}

/// Not even `require`, which libpq takes to mean any certificate.
#[tokio::test]
async fn no_other_certificate_is() {
    let guest = Guest::arrive("distrust").await;
    let authority = Authority::new();
    let other_host = relay(guest.address(), &authority.issue(&["other.example.com"])).await;
    let stranger = relay(guest.address(), &Authority::new().issue(&["db.example.com"])).await;
    for (address, sslmode) in
        [other_host, stranger].into_iter().flat_map(|address| ["prefer", "require"].map(|mode| (address, mode)))
    {
        let context = LoopbackContext::to(address).trusting(&authority);
        let outcome = test(&context, &guest.name, &guest.name, PASSWORD, sslmode).await;
        assert_eq!(outcome.verdict, Verdict::Unreachable(Unreachable::Tls), "{sslmode}");
    }
    guest.leave().await;
}

#[tokio::test]
async fn a_server_without_tls_is_not_told_the_password_if_tls_is_required() {
    let guest = Guest::arrive("plain").await;
    for sslmode in ["require", "verify-ca", "verify-full"] {
        let context = LoopbackContext::to(guest.address());
        let outcome = test(&context, &guest.name, &guest.name, PASSWORD, sslmode).await;
        assert_eq!(outcome.verdict, Verdict::Unreachable(Unreachable::Tls), "{sslmode}");
        assert!(outcome.advice.unwrap().contains("speaks no TLS"));
    }
    guest.leave().await;
}

#[tokio::test]
async fn no_login_goes_in_the_clear_where_the_guard_forbids_it() {
    let guest = Guest::arrive("clear").await;
    for sslmode in ["disable", "prefer"] {
        let context = LoopbackContext::to(guest.address()).never_in_the_clear();
        let outcome = test(&context, &guest.name, &guest.name, PASSWORD, sslmode).await;
        assert_eq!(outcome.verdict, Verdict::Unreachable(Unreachable::BlockedAddress), "{sslmode}");
        assert!(outcome.advice.unwrap().contains("--allow-network"), "{sslmode}");
    }
    guest.leave().await;
}
