//! RESP2 over a stream: one command, one reply.

use nora_provider_sdk::{NetworkError, Secret, Wire};

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
pub(crate) struct Session(pub(crate) Wire);

impl Session {
    /// Sends a command and waits for the reply.
    pub(crate) async fn ask(&mut self, words: &[&str]) -> Result<Reply, NetworkError> {
        self.0.send(command(words).expose().as_bytes()).await?;
        let line = self.0.line(LONGEST_LINE).await?;
        let line = line.strip_suffix('\r').ok_or(NetworkError::Protocol)?;
        let (kind, rest) = line.split_at_checked(1).ok_or(NetworkError::Protocol)?;
        match kind {
            "+" => Ok(Reply::Text(rest.to_owned())),
            "-" => Ok(Reply::Error(rest.to_owned())),
            "$" => self.text(rest).await,
            _ => Err(NetworkError::Protocol),
        }
    }

    async fn text(&mut self, length: &str) -> Result<Reply, NetworkError> {
        let length = length.parse().ok().filter(|length| *length <= LONGEST_TEXT).ok_or(NetworkError::Protocol)?;
        let text = self.0.bytes(length).await?;
        match &self.0.array().await? {
            b"\r\n" => Ok(Reply::Text(String::from_utf8_lossy(&text).into_owned())),
            _ => Err(NetworkError::Protocol),
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_cannot_end_its_command() {
        let command = command(&["AUTH", "app", "päss\r\n*1\r\n$8\r\nFLUSHALL"]);
        assert_eq!(command.expose(), "*3\r\n$4\r\nAUTH\r\n$3\r\napp\r\n$23\r\npäss\r\n*1\r\n$8\r\nFLUSHALL\r\n");
    }
}
