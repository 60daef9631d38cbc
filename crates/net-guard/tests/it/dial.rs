//! Raw streams.

use std::time::Duration;

use nora_net_guard::{GuardedClient, Limits, Transport};
use nora_provider_sdk::NetworkError;
use reqwest::{Method, Request};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::Instant;

use crate::support::{PRIVATE, PUBLIC, Peer, Script, guard};

#[tokio::test]
async fn a_stream_reaches_the_peer() {
    let peer = Peer::start(PUBLIC, 0, |mut stream| async move {
        stream.write_all(b"220 ready\r\n").await.unwrap();
    })
    .await;
    let guard = guard(PUBLIC, Script::new(&[("mail.test", &[&[PUBLIC]])]), &[]);
    for host in ["mail.test", PUBLIC] {
        let mut stream = guard.dial(host, peer.port(), Transport::Plaintext).await.unwrap();
        let mut greeting = String::new();
        stream.read_to_string(&mut greeting).await.unwrap();
        assert_eq!(greeting, "220 ready\r\n", "{host}");
    }
}

#[tokio::test]
async fn the_next_address_is_tried_when_one_refuses() {
    let peer = Peer::answering("127.0.0.3", 0, "").await;
    let script = Script::new(&[("two.test", &[&[PUBLIC, "127.0.0.3"]])]);
    let guard = guard("127.0.0.2,127.0.0.3", script, &[]);
    let stream = guard.dial("two.test", peer.port(), Transport::Tls).await.unwrap();
    assert_eq!(stream.peer_addr().unwrap(), peer.address);
}

#[tokio::test]
async fn nothing_is_dialled_that_may_not_be_called() {
    let sink = Peer::answering(PRIVATE, 0, "").await;
    let script = Script::new(&[("inside.test", &[&[PRIVATE]]), ("public.test", &[&["93.184.216.34"]])]);
    let guard = guard(PUBLIC, script, &[]);
    for host in [PRIVATE, "inside.test", "127.1", "::ffff:127.0.0.1", "[::ffff:127.0.0.1]"] {
        let refused = guard.dial(host, sink.port(), Transport::Tls).await.err();
        assert_eq!(refused, Some(NetworkError::BlockedAddress), "{host}");
    }
    let in_the_clear = guard.dial("public.test", 5432, Transport::Plaintext).await.err();
    assert_eq!(in_the_clear, Some(NetworkError::BlockedAddress));
    assert_eq!(guard.dial(PUBLIC, 0, Transport::Tls).await.err(), Some(NetworkError::BlockedAddress));
    assert_eq!(guard.dial("nx.test", 5432, Transport::Tls).await.err(), Some(NetworkError::Dns));
    assert_eq!(sink.connections(), 0);
}

#[tokio::test]
async fn a_closed_port_refuses() {
    let listener = TcpListener::bind((PUBLIC, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let guard = guard(PUBLIC, Script::new(&[]), &[]);
    assert_eq!(guard.dial(PUBLIC, port, Transport::Tls).await.err(), Some(NetworkError::Refused));
}

#[tokio::test]
async fn a_peer_that_drops_what_is_sent_to_it_ends_in_a_timeout() {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(format!("{PUBLIC}:0").parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    // With its queue full, the system drops further connections instead of refusing them.
    let _queued = [TcpStream::connect(address).await.unwrap(), TcpStream::connect(address).await.unwrap()];
    tokio::time::pause();
    let guard = guard(PUBLIC, Script::new(&[]), &[]);
    let start = Instant::now();
    let dialled = guard.dial(PUBLIC, address.port(), Transport::Tls).await;
    assert_eq!((dialled.err(), start.elapsed().as_secs()), (Some(NetworkError::Timeout), 3));
    let client = GuardedClient::new(guard).unwrap();
    let request = Request::new(Method::GET, format!("http://{address}/").parse().unwrap());
    let answer = client.send(request, Limits { time: Duration::from_mins(1), body: 1 }).await;
    assert_eq!((answer.err(), start.elapsed().as_secs()), (Some(NetworkError::Timeout), 6));
}

#[tokio::test(start_paused = true)]
async fn a_resolver_that_never_answers_ends_in_a_timeout() {
    struct Silent;
    #[async_trait::async_trait]
    impl nora_net_guard::Resolver for Silent {
        async fn resolve(&self, _name: &str) -> std::io::Result<Vec<std::net::IpAddr>> {
            std::future::pending().await
        }
    }
    let guard = guard(PUBLIC, std::sync::Arc::new(Silent), &[]);
    assert_eq!(guard.dial("slow.test", 25, Transport::Tls).await.err(), Some(NetworkError::Timeout));
}
