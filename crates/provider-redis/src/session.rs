//! RESP2 over a stream: one command, one reply.

use std::io;

use nora_provider_sdk::{NetworkError, Secret, Stream};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};

/// Errors quote what was sent to them, though never much of it.
const LONGEST_LINE: u64 = 1024;

/// The longest thing that is asked for is the name of a user.
const LONGEST_TEXT: usize = 1024;

/// What the server answers. Other kinds of replies are to other commands.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    /// A text.
    Text(String),
    /// An error: its code and, after a space, its words.
    Error(String),
}

/// A conversation.
pub(crate) struct Session(BufReader<Box<dyn Stream>>);

impl Session {
    pub(crate) fn new(stream: Box<dyn Stream>) -> Self {
        Self(BufReader::new(stream))
    }

    /// Sends a command and waits for the reply.
    pub(crate) async fn ask(&mut self, words: &[&str]) -> Result<Reply, NetworkError> {
        self.send(command(words).expose()).await.map_err(|error| broken(&error))?;
        let line = self.line().await?;
        let (kind, rest) = line.split_at_checked(1).ok_or(NetworkError::Protocol)?;
        match kind {
            "+" => Ok(Reply::Text(rest.to_owned())),
            "-" => Ok(Reply::Error(rest.to_owned())),
            "$" => self.text(rest).await,
            _ => Err(NetworkError::Protocol),
        }
    }

    /// Hangs up, which is how a Redis session ends.
    pub(crate) async fn leave(mut self) {
        // What becomes of it changes nothing about the answers.
        let _ = self.0.shutdown().await;
    }

    async fn send(&mut self, command: &str) -> io::Result<()> {
        self.0.write_all(command.as_bytes()).await?;
        self.0.flush().await
    }

    async fn line(&mut self) -> Result<String, NetworkError> {
        let mut line = Vec::new();
        let read = (&mut self.0).take(LONGEST_LINE).read_until(b'\n', &mut line).await;
        if read.map_err(|error| broken(&error))? == 0 {
            return Err(NetworkError::Refused);
        }
        let line = line.strip_suffix(b"\r\n").ok_or(NetworkError::Protocol)?;
        Ok(String::from_utf8_lossy(line).into_owned())
    }

    async fn text(&mut self, length: &str) -> Result<Reply, NetworkError> {
        let length = length.parse().ok().filter(|length| *length <= LONGEST_TEXT).ok_or(NetworkError::Protocol)?;
        let mut text = vec![0; length];
        let mut end = [0; 2];
        self.0.read_exact(&mut text).await.map_err(|error| broken(&error))?;
        self.0.read_exact(&mut end).await.map_err(|error| broken(&error))?;
        if end != *b"\r\n" {
            return Err(NetworkError::Protocol);
        }
        Ok(Reply::Text(String::from_utf8_lossy(&text).into_owned()))
    }
}

/// An array of texts, each with its length: nothing in a text can end it.
fn command(words: &[&str]) -> Secret {
    let count = format!("*{}\r\n", words.len());
    let lengths: Vec<String> = words.iter().map(|word| format!("${}\r\n", word.len())).collect();
    let pieces = lengths.iter().zip(words).flat_map(|(length, word)| [length.as_str(), word, "\r\n"]);
    // `concat` takes the room for all of it at once, so a password among the words leaves no copy behind.
    Secret::new(std::iter::once(count.as_str()).chain(pieces).collect::<Vec<_>>().concat())
}

fn broken(error: &io::Error) -> NetworkError {
    match error.kind() {
        io::ErrorKind::TimedOut => NetworkError::Timeout,
        _ => NetworkError::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_cannot_end_its_command() {
        let command = command(&["AUTH", "app", "päss\r\n*1\r\n$8\r\nFLUSHALL"]);
        assert_eq!(command.expose(), "*3\r\n$4\r\nAUTH\r\n$3\r\napp\r\n$23\r\npäss\r\n*1\r\n$8\r\nFLUSHALL\r\n");
    }
}
