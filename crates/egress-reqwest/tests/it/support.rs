//! Peers on loopback and a way out to them.

use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use async_trait::async_trait;
use nora_egress_reqwest::Egress;
use nora_kernel::address::NetworkPolicy;
use nora_kernel::{Clock, Timestamp};
use nora_net_guard::{Guard, Resolver, Tls};
use rustls::pki_types::CertificateDer;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Says that every name is this machine.
struct Here;

#[async_trait]
impl Resolver for Here {
    async fn resolve(&self, _name: &str) -> std::io::Result<Vec<IpAddr>> {
        Ok(vec!["127.0.0.1".parse().unwrap()])
    }
}

struct Noon;

impl Clock for Noon {
    fn now(&self) -> Timestamp {
        noon()
    }
}

pub(crate) fn noon() -> Timestamp {
    "2026-11-23T12:00:00Z".parse().unwrap()
}

/// A way out that may call the networks in `allowed` beside public ones.
pub(crate) fn egress_to(allowed: &str, roots: &[CertificateDer<'static>]) -> Egress {
    let policy = NetworkPolicy::third_parties(allowed.parse().unwrap());
    Egress::new(Guard::new(policy, Arc::new(Here), Tls::new(roots).unwrap()), Arc::new(Noon)).unwrap()
}

pub(crate) fn egress() -> Egress {
    egress_to("127.0.0.1", &[])
}

/// Listens and hands every connection to `serve`.
pub(crate) async fn peer<F, A>(serve: F) -> SocketAddr
where
    F: Fn(TcpStream) -> A + Send + 'static,
    A: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream));
        }
    });
    address
}

/// A peer that answers every request with these bytes and closes.
pub(crate) async fn answering(answer: impl Into<Vec<u8>>) -> SocketAddr {
    let answer: Arc<[u8]> = answer.into().into();
    peer(move |mut stream| {
        let answer = Arc::clone(&answer);
        async move {
            read_head(&mut stream).await;
            let _ = stream.write_all(&answer).await;
        }
    })
    .await
}

/// A peer that answers with the head and body of the request it got.
pub(crate) async fn echo() -> SocketAddr {
    peer(|mut stream| async move {
        let head = read_head(&mut stream).await;
        let length =
            head.lines().find_map(|line| line.strip_prefix("content-length: ")).map_or(0, |text| text.parse().unwrap());
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.unwrap();
        let echoed = [head.as_bytes(), &body].concat();
        let answer =
            format!("HTTP/1.1 200 OK\r\nX-Seen: yes\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", echoed.len());
        stream.write_all(&[answer.as_bytes(), &echoed].concat()).await.unwrap();
    })
    .await
}

/// A peer that reads and never answers.
pub(crate) async fn silent() -> SocketAddr {
    peer(|mut stream| async move { while stream.read_u8().await.is_ok() {} }).await
}

pub(crate) async fn read_head<S: AsyncRead + Unpin>(stream: &mut S) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8(head).unwrap()
}
