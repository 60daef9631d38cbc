//! A real server on loopback, and raw bytes to and from it.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use nora_http_api::{Api, server};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// How long these tests wait for what must come.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server that is stopped when it is dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    handle: ServerHandle,
}

impl Server {
    pub(crate) fn start(api: &Arc<Api>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = server(api, listener, 1).unwrap();
        let handle = server.handle();
        tokio::spawn(server);
        Self { address, handle }
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Stopping begins with the call; nobody waits for its end here.
        drop(self.handle.stop(false));
    }
}

/// Sends bytes on a connection of its own and returns everything that comes until the server closes it.
pub(crate) async fn exchange(server: &Server, bytes: &[u8]) -> String {
    let mut stream = server.connect().await;
    // The server may answer and close before it has read everything.
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
    assert!(read.is_ok(), "the server keeps the connection after {:?}", String::from_utf8_lossy(&answer));
    String::from_utf8_lossy(&answer).into_owned()
}
