//! Conversations over a stream, for protocols that are not HTTP.

use std::io;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};

use crate::{Context, NetworkError, Outcome, Stream, Transport};

/// A conversation with one peer. What is read of it has a limit, and what breaks it is a [`NetworkError`].
///
/// ```
/// use nora_provider_sdk::{Context, Outcome, Transport, Wire};
///
/// /// Asks a server of lines for its greeting.
/// async fn greeting(context: &dyn Context) -> Result<String, Box<Outcome>> {
///     let wire = Wire::connect(context, "mail.example.com", 465, Transport::Tls).await?;
///     let mut wire = wire.start_tls(context, "mail.example.com").await?;
///     wire.send(b"HELLO\r\n").await?;
///     let line = wire.line(512).await?;
///     wire.leave().await;
///     Ok(line)
/// }
/// ```
pub struct Wire(BufReader<Box<dyn Stream>>);

impl std::fmt::Debug for Wire {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("Wire").finish_non_exhaustive()
    }
}

impl Wire {
    /// A conversation over a stream that is connected.
    pub fn new(stream: Box<dyn Stream>) -> Self {
        Self(BufReader::new(stream))
    }

    /// Connects through the context's guard ([`Context::connect`]).
    ///
    /// # Errors
    ///
    /// Why no connection was made. Where a login may not go in the clear, the outcome says so.
    pub async fn connect(
        context: &dyn Context,
        host: &str,
        port: u16,
        transport: Transport,
    ) -> Result<Self, Box<Outcome>> {
        match (context.connect(host, port, transport).await, transport) {
            (Ok(stream), _) => Ok(Self::new(stream)),
            (Err(error), Transport::Plaintext) => Err(Outcome::unreachable_in_the_clear(error).into()),
            (Err(error), Transport::Tls) => Err(error.into()),
        }
    }

    /// Starts TLS with `host`.
    ///
    /// # Errors
    ///
    /// No trusted session could be made, or more was said in the clear than was read: it must not count as said over
    /// TLS.
    pub async fn start_tls(self, context: &dyn Context, host: &str) -> Result<Self, NetworkError> {
        if !self.0.buffer().is_empty() {
            return Err(NetworkError::Protocol);
        }
        context.start_tls(self.0.into_inner(), host).await.map(Self::new)
    }

    /// Sends all of `bytes` at once.
    ///
    /// # Errors
    ///
    /// The connection was cut, or the deadline is over.
    pub async fn send(&mut self, bytes: &[u8]) -> Result<(), NetworkError> {
        self.0.write_all(bytes).await?;
        Ok(self.0.flush().await?)
    }

    /// Reads a line of at most `longest` bytes, without the line feed that ends it. What is no UTF-8 in it is replaced.
    ///
    /// # Errors
    ///
    /// The connection was cut, the deadline is over, or no line ends within the limit.
    pub async fn line(&mut self, longest: u64) -> Result<String, NetworkError> {
        let mut line = Vec::new();
        if (&mut self.0).take(longest).read_until(b'\n', &mut line).await? == 0 {
            return Err(NetworkError::Refused);
        }
        let line = line.strip_suffix(b"\n").ok_or(NetworkError::Protocol)?;
        Ok(String::from_utf8_lossy(line).into_owned())
    }

    /// Reads as many bytes as the array has.
    ///
    /// # Errors
    ///
    /// The connection was cut, or the deadline is over.
    pub async fn array<const N: usize>(&mut self) -> Result<[u8; N], NetworkError> {
        let mut bytes = [0; N];
        self.0.read_exact(&mut bytes).await?;
        Ok(bytes)
    }

    /// Reads `count` bytes, a number that the caller has put a limit to.
    ///
    /// # Errors
    ///
    /// The connection was cut, or the deadline is over.
    pub async fn bytes(&mut self, count: usize) -> Result<Vec<u8>, NetworkError> {
        let mut bytes = vec![0; count];
        self.0.read_exact(&mut bytes).await?;
        Ok(bytes)
    }

    /// The stream, for a driver that goes on with it.
    ///
    /// # Errors
    ///
    /// More was said than was read.
    pub fn into_stream(self) -> Result<Box<dyn Stream>, NetworkError> {
        if self.0.buffer().is_empty() { Ok(self.0.into_inner()) } else { Err(NetworkError::Protocol) }
    }

    /// Hangs up. What becomes of it changes nothing about the answers.
    pub async fn leave(mut self) {
        let _ = self.0.shutdown().await;
    }
}

/// What a broken stream means.
impl From<io::Error> for NetworkError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::TimedOut => Self::Timeout,
            _ => Self::Refused,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::task::{self, Poll};

    use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

    use super::*;

    /// A peer whose words are known beforehand.
    struct Peer(&'static [u8]);

    impl AsyncRead for Peer {
        fn poll_read(
            mut self: Pin<&mut Self>,
            context: &mut task::Context<'_>,
            buffer: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            Pin::new(&mut self.0).poll_read(context, buffer)
        }
    }

    impl AsyncWrite for Peer {
        fn poll_write(self: Pin<&mut Self>, _: &mut task::Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
            Poll::Ready(if bytes == b"hang" { Err(io::ErrorKind::TimedOut.into()) } else { Ok(bytes.len()) })
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut task::Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut task::Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    fn wire(words: &'static str) -> Wire {
        Wire::new(Box::new(Peer(words.as_bytes())))
    }

    #[tokio::test]
    async fn lines_end_within_their_limit() {
        let mut peer = wire("one\r\ntwo\nlong line\n");
        assert_eq!(peer.line(5).await.unwrap(), "one\r");
        assert_eq!(peer.line(4).await.unwrap(), "two");
        assert_eq!(peer.line(9).await, Err(NetworkError::Protocol));
        assert_eq!(wire("cut").line(9).await, Err(NetworkError::Protocol));
        assert_eq!(wire("").line(9).await, Err(NetworkError::Refused));
    }

    #[tokio::test]
    async fn bytes_are_all_there_or_the_peer_has_gone() {
        let mut peer = wire("abcdef");
        assert_eq!((peer.array().await, peer.bytes(3).await), (Ok(*b"ab"), Ok(b"cde".to_vec())));
        assert_eq!(peer.array::<2>().await, Err(NetworkError::Refused));
        assert_eq!(peer.send(b"hang").await, Err(NetworkError::Timeout));
    }

    #[tokio::test]
    async fn nothing_said_in_advance_goes_into_tls() {
        let mut peer = wire("220 ready\n250 forged\n");
        assert_eq!(peer.line(100).await.unwrap(), "220 ready");
        assert_eq!(peer.into_stream().err(), Some(NetworkError::Protocol));
        let mut peer = wire("220 ready\n");
        assert_eq!(peer.line(100).await.unwrap(), "220 ready");
        assert!(peer.into_stream().is_ok());
    }
}
