//! A server that answers as a scenario says: a third party, or a runtime nobody should have to meet.

use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Request {
    /// The request line and the headers, without the empty line.
    pub head: String,
    /// The body.
    pub body: Vec<u8>,
}

impl Request {
    /// The path with its query.
    pub fn path(&self) -> &str {
        self.head.split(' ').nth(1).unwrap_or_default()
    }

    /// A header; empty if there is none.
    pub fn header(&self, name: &str) -> &str {
        let lines = self.head.lines().skip(1).filter_map(|line| line.split_once(':'));
        lines.filter(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim()).next().unwrap_or("")
    }
}

/// A server on a port of its own; it stops when it is dropped.
pub struct Stub {
    address: SocketAddr,
    calls: Arc<AtomicU64>,
    task: JoinHandle<()>,
}

type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Stub {
    /// Starts a server that hands each request to `serve`, with the connection to answer on. One request is served per
    /// connection, and whatever `serve` does not write is never said.
    pub async fn start<F, W>(serve: F) -> Self
    where
        F: Fn(Request, TcpStream) -> W + Send + Sync + 'static,
        W: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let calls = Arc::new(AtomicU64::new(0));
        let serve: Arc<dyn Fn(Request, TcpStream) -> Work + Send + Sync> =
            Arc::new(move |request, stream| Box::pin(serve(request, stream)));
        let task = tokio::spawn(accept(listener, Arc::clone(&calls), serve));
        Self { address, calls, task }
    }

    /// Starts a server that gives every request this answer.
    pub async fn answering(answer: Vec<u8>) -> Self {
        Self::start(move |_, mut stream| {
            let answer = answer.clone();
            async move {
                // Whoever does not want the answer may go.
                let _ = stream.write_all(&answer).await;
            }
        })
        .await
    }

    /// Its base URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many connections were made.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::SeqCst)
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// An answer of HTTP/1.1 after which the connection is closed.
pub fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Vec<u8> {
    let headers: String = headers.iter().flat_map(|(name, value)| [*name, ": ", *value, "\r\n"]).collect();
    let length = body.len();
    format!("HTTP/1.1 {status} As-Asked\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n{body}").into()
}

async fn accept(
    listener: TcpListener,
    calls: Arc<AtomicU64>,
    serve: Arc<dyn Fn(Request, TcpStream) -> Work + Send + Sync>,
) {
    while let Ok((mut stream, _)) = listener.accept().await {
        calls.fetch_add(1, Ordering::SeqCst);
        let serve = Arc::clone(&serve);
        tokio::spawn(async move {
            if let Some(request) = read(&mut stream).await {
                serve(request, stream).await;
            }
        });
    }
}

/// Reads one request; `None` if the peer went away before it was whole.
async fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    let end = loop {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
    };
    let mut request = Request { head: String::from_utf8_lossy(bytes.get(..end)?).into_owned(), body: Vec::new() };
    request.body = bytes.split_off(end + 4);
    let length: usize = request.header("content-length").parse().unwrap_or(0);
    while request.body.len() < length {
        if stream.read_buf(&mut request.body).await.ok()? == 0 {
            return None;
        }
    }
    Some(request)
}
