//! Lines and replies over a stream.

use std::io;

use nora_provider_sdk::{NetworkError, Stream};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};

/// Four times what the protocol allows.
const LONGEST_LINE: u64 = 2048;

/// Servers announce some twenty extensions at most, one on a line.
const MOST_LINES: usize = 100;

/// What the server answers: a code, and the text of each line.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) code: u16,
    pub(crate) lines: Vec<String>,
}

/// A conversation.
pub(crate) struct Session(BufReader<Box<dyn Stream>>);

impl Session {
    pub(crate) fn new(stream: Box<dyn Stream>) -> Self {
        Self(BufReader::new(stream))
    }

    /// Sends a line, which is fixed words or Base64 and so holds no end of line, and waits for the reply.
    pub(crate) async fn say(&mut self, line: &str) -> Result<Reply, NetworkError> {
        self.send(line).await.map_err(|error| broken(&error))?;
        self.listen().await
    }

    /// Waits for a reply.
    pub(crate) async fn listen(&mut self) -> Result<Reply, NetworkError> {
        let mut reply: Option<Reply> = None;
        for _ in 0..MOST_LINES {
            let (code, is_last, text) = parse(&self.line().await?).ok_or(NetworkError::Protocol)?;
            let reply_so_far = reply.get_or_insert_with(|| Reply { code, lines: Vec::new() });
            if reply_so_far.code != code {
                return Err(NetworkError::Protocol);
            }
            reply_so_far.lines.push(text);
            if is_last {
                return reply.ok_or(NetworkError::Protocol);
            }
        }
        Err(NetworkError::Protocol)
    }

    /// Gives the stream back, to start TLS on it. `None` if more was said in the clear than was asked for: it must not
    /// count as said over TLS.
    pub(crate) fn into_stream(self) -> Option<Box<dyn Stream>> {
        self.0.buffer().is_empty().then(|| self.0.into_inner())
    }

    /// Says goodbye and hangs up.
    pub(crate) async fn leave(mut self) {
        // What becomes of it changes nothing about the answers.
        let _ = self.say("QUIT").await;
        let _ = self.0.shutdown().await;
    }

    async fn send(&mut self, line: &str) -> io::Result<()> {
        self.0.write_all(line.as_bytes()).await?;
        self.0.write_all(b"\r\n").await?;
        self.0.flush().await
    }

    async fn line(&mut self) -> Result<String, NetworkError> {
        let mut line = Vec::new();
        let read = (&mut self.0).take(LONGEST_LINE).read_until(b'\n', &mut line).await;
        if read.map_err(|error| broken(&error))? == 0 {
            return Err(NetworkError::Refused);
        }
        let line = line.strip_suffix(b"\n").ok_or(NetworkError::Protocol)?;
        Ok(String::from_utf8_lossy(line).trim_end().to_owned())
    }
}

/// `250-text`, or `250 text` on the last line.
fn parse(line: &str) -> Option<(u16, bool, String)> {
    let (code, rest) = line.split_at_checked(3)?;
    if !code.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (is_last, text) = match rest.split_at_checked(1) {
        None => (true, ""),
        Some((" ", text)) => (true, text),
        Some(("-", text)) => (false, text),
        Some(_) => return None,
    };
    Some((code.parse().ok()?, is_last, text.to_owned()))
}

fn broken(error: &io::Error) -> NetworkError {
    match error.kind() {
        io::ErrorKind::TimedOut => NetworkError::Timeout,
        _ => NetworkError::Refused,
    }
}
