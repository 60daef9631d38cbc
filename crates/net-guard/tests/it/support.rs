//! Peers on loopback, and a resolver that says what it is told to.

use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use nora_kernel::address::NetworkPolicy;
use nora_net_guard::{Guard, Resolver, Tls};
use rcgen::{CertifiedKey, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What counts as public in these tests, beside what is.
pub(crate) const PUBLIC: &str = "127.0.0.2";
/// What no list of these tests opens.
pub(crate) const PRIVATE: &str = "127.0.0.1";

/// Answers by name; call number k gets answer number k, and the last one from then on.
#[derive(Default)]
pub(crate) struct Script {
    answers: HashMap<&'static str, Vec<Vec<IpAddr>>>,
    asked: Mutex<HashMap<String, usize>>,
}

impl Script {
    pub(crate) fn new(answers: &[(&'static str, &[&[&str]])]) -> Arc<Self> {
        let parse = |answer: &&[&str]| answer.iter().map(|address| address.parse().unwrap()).collect();
        let answers = answers.iter().map(|(name, answers)| (*name, answers.iter().map(parse).collect())).collect();
        Arc::new(Self { answers, asked: Mutex::default() })
    }

    pub(crate) fn times_asked(&self) -> usize {
        self.asked.lock().unwrap().values().sum()
    }
}

#[async_trait]
impl Resolver for Script {
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let call = {
            let mut asked = self.asked.lock().unwrap();
            let calls = asked.entry(name.to_owned()).or_default();
            *calls += 1;
            *calls - 1
        };
        let answers = self.answers.get(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(answers.get(call).or(answers.last()).cloned().unwrap_or_default())
    }
}

/// A guard that calls the public internet and `allowed`.
pub(crate) fn guard(allowed: &str, resolver: Arc<dyn Resolver>, roots: &[CertificateDer<'static>]) -> Guard {
    Guard::new(NetworkPolicy::third_parties(allowed.parse().unwrap()), resolver, Tls::new(roots).unwrap())
}

/// A server that counts who connects.
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl Peer {
    /// Listens on `address` and hands every connection to `serve`.
    pub(crate) async fn start<F, A>(address: &str, port: u16, serve: F) -> Self
    where
        F: Fn(TcpStream) -> A + Send + 'static,
        A: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind((address, port)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&connections);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(stream));
            }
        });
        Self { address, connections }
    }

    /// Answers the first request of every connection with these very bytes, then closes.
    pub(crate) async fn answering(address: &str, port: u16, answer: impl Into<Vec<u8>>) -> Self {
        let answer: Arc<[u8]> = answer.into().into();
        Self::start(address, port, move |mut stream| {
            let answer = Arc::clone(&answer);
            async move {
                read_request(&mut stream).await;
                let _ = stream.write_all(&answer).await;
                let _ = stream.shutdown().await;
            }
        })
        .await
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }
}

/// Reads up to the end of a request without a body.
pub(crate) async fn read_request<S: tokio::io::AsyncRead + Unpin>(stream: &mut S) -> String {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => request.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8(request).unwrap()
}

/// A certificate of its own making for `name`, and the configuration of a server that shows it.
pub(crate) fn certificate(name: &str) -> (CertificateDer<'static>, Arc<ServerConfig>) {
    let CertifiedKey::<KeyPair> { cert, signing_key } = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    (cert.der().clone(), Arc::new(config))
}
