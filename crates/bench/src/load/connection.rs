//! One connection that is kept.

use std::net::SocketAddr;

use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::Wanted;

pub(crate) struct Connection(SendRequest<Full<Bytes>>);

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await.with_context(|| format!("nobody listens on {address}"))?;
        stream.set_nodelay(true).context("a socket cannot be set up")?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await.context("no connection was made")?;
        // It ends with the sender; what it has to say, the sender says too.
        tokio::spawn(connection);
        Ok(Self(sender))
    }

    /// Sends a request and reads the whole answer without keeping it.
    pub(crate) async fn call(&mut self, request: Request<Full<Bytes>>, wanted: Wanted) -> Result<()> {
        let mut body = self.send(request, wanted).await?;
        while let Some(frame) = body.frame().await {
            frame.context("an answer broke off")?;
        }
        Ok(())
    }

    /// Sends a request and returns the body of the answer.
    pub(crate) async fn ask(&mut self, request: Request<Full<Bytes>>) -> Result<Bytes> {
        let body = self.send(request, Wanted::Success).await?.collect().await.context("an answer broke off")?;
        Ok(body.to_bytes())
    }

    async fn send(&mut self, request: Request<Full<Bytes>>, wanted: Wanted) -> Result<Incoming> {
        self.0.ready().await.context("the connection was closed")?;
        let path = request.uri().clone();
        let answer = self.0.send_request(request).await.context("a request was not answered")?;
        let status = answer.status();
        let is_wanted = match wanted {
            Wanted::Success => status.is_success(),
            Wanted::Refusal => status == StatusCode::BAD_REQUEST,
        };
        if !is_wanted {
            let body = answer.into_body().collect().await.context("an answer broke off")?.to_bytes();
            bail!("{path} was answered by {status}: {}", String::from_utf8_lossy(&body));
        }
        Ok(answer.into_body())
    }
}
