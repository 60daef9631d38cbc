//! Services that answer from a script.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use nora_provider_sdk::manifest::Answer;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::AbortHandle;
use tokio_rustls::TlsAcceptor;

use crate::Identity;

/// What a service does with a request.
#[derive(Debug, Clone)]
pub enum Reply {
    /// It answers.
    Answer {
        /// The status.
        status: u16,
        /// Headers, besides `Content-Length`.
        headers: Vec<(String, String)>,
        /// The body.
        body: Bytes,
    },
    /// It sends the head of an answer, and a body that does not end.
    SlowBody,
    /// It sends a body of this many bytes.
    HugeBody(usize),
    /// It sends bytes that are no HTTP.
    Garbage,
    /// It closes the connection.
    Hangup,
}

impl Reply {
    /// An answer with a JSON body.
    pub fn json(status: u16, body: impl Into<String>) -> Self {
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        Self::Answer { status, headers, body: Bytes::from(body.into()) }
    }

    /// The answer with one more header. Other replies stay as they are.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        if let Self::Answer { headers, .. } = &mut self {
            headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }
}

impl From<&Answer> for Reply {
    fn from(answer: &Answer) -> Self {
        Self::Answer { status: answer.status, headers: answer.headers.clone(), body: answer.body.clone() }
    }
}

/// A request a service received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// The method.
    pub method: String,
    /// The path and the query.
    pub target: String,
    /// Headers; the names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Received {
    /// The first header with this name (given in lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(candidate, _)| candidate == name).map(|(_, value)| value.as_str())
    }
}

/// A service on the loopback interface. It stops when it is dropped.
pub struct Service {
    address: SocketAddr,
    state: Arc<State>,
    task: AbortHandle,
}

struct State {
    script: Mutex<VecDeque<Reply>>,
    rest: Reply,
    received: Mutex<Vec<Received>>,
}

impl Service {
    /// A service in the clear that gives the replies of `script` in order, and `rest` from then on.
    pub async fn start(script: impl IntoIterator<Item = Reply>, rest: Reply) -> Self {
        Self::listen(script, rest, None).await
    }

    /// The same over TLS.
    pub async fn start_tls(script: impl IntoIterator<Item = Reply>, rest: Reply, identity: &Identity) -> Self {
        Self::listen(script, rest, Some(TlsAcceptor::from(identity.server()))).await
    }

    async fn listen(script: impl IntoIterator<Item = Reply>, rest: Reply, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("the loopback interface has a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let script = Mutex::new(script.into_iter().collect());
        let state = Arc::new(State { script, rest, received: Mutex::default() });
        let task = tokio::spawn(accept(listener, Arc::clone(&state), tls)).abort_handle();
        Self { address, state, task }
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it received so far.
    pub fn received(&self) -> Vec<Received> {
        self.state.received.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, state: Arc<State>, tls: Option<TlsAcceptor>) {
    while let Ok((stream, _)) = listener.accept().await {
        let state = Arc::clone(&state);
        let tls = tls.clone();
        tokio::spawn(async move {
            match tls {
                None => serve(stream, &state).await,
                Some(acceptor) => {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        serve(stream, &state).await;
                    }
                }
            }
        });
    }
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, state: &State) {
    let Some(received) = read(&mut stream).await else { return };
    state.received.lock().unwrap_or_else(PoisonError::into_inner).push(received);
    let reply = state.script.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    // A client that has gone away is the client's affair.
    let _ = write(&mut stream, &reply.unwrap_or_else(|| state.rest.clone())).await;
}

async fn read<S: AsyncRead + Unpin>(stream: &mut S) -> Option<Received> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let mut body = bytes.split_off(end + 4);
    let head = String::from_utf8(bytes).ok()?;
    let mut lines = head.trim_end().split("\r\n");
    let mut first = lines.next()?.split(' ');
    let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers = lines.filter_map(|line| line.split_once(':'));
    let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned())).collect();
    let mut received = Received { method, target, headers, body: Vec::new() };
    let length = received.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    while body.len() < length && stream.read_buf(&mut body).await.ok()? > 0 {}
    received.body = body;
    Some(received)
}

async fn write<S: AsyncWrite + Unpin>(stream: &mut S, reply: &Reply) -> std::io::Result<()> {
    match reply {
        Reply::Answer { status, headers, body } => {
            let mut head = format!("HTTP/1.1 {status} Scripted\r\ncontent-length: {}\r\n", body.len());
            for (name, value) in headers {
                head = format!("{head}{name}: {value}\r\n");
            }
            head.push_str("\r\n");
            stream.write_all(head.as_bytes()).await?;
            stream.write_all(body).await?;
        }
        Reply::SlowBody => {
            stream.write_all(b"HTTP/1.1 200 Scripted\r\ncontent-type: application/json\r\n\r\n{").await?;
            stream.flush().await?;
            tokio::time::sleep(Duration::from_mins(1)).await;
        }
        Reply::HugeBody(size) => {
            stream.write_all(b"HTTP/1.1 200 Scripted\r\ncontent-type: application/json\r\n\r\n").await?;
            let chunk = [b' '; 4096];
            for _ in 0..size.div_ceil(chunk.len()) {
                stream.write_all(&chunk).await?;
            }
        }
        Reply::Garbage => stream.write_all(b"220 smtp.example ESMTP\r\n\r\n").await?,
        Reply::Hangup => {}
    }
    stream.flush().await?;
    stream.shutdown().await
}
