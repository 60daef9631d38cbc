//! `OP_MSG` over a stream: one command, one reply.

use std::io;

use nora_provider_sdk::{NetworkError, Stream};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::bson::Document;

const OP_MSG: i32 = 2013;

/// Four numbers: the length of all, the message's id, the id of what it answers, and the kind.
const HEADER: usize = 16;

/// After the header: flags, and the kind of the only section.
const FLAGS_AND_KIND: usize = 5;

/// No reply that is asked for is longer than a few thousand bytes.
const LONGEST: usize = 64 * 1024;

/// A conversation.
pub(crate) struct Session {
    stream: Box<dyn Stream>,
    last_id: i32,
}

impl Session {
    pub(crate) fn new(stream: Box<dyn Stream>) -> Self {
        Self { stream, last_id: 0 }
    }

    /// Sends a command and waits for the reply.
    pub(crate) async fn ask(&mut self, command: &Document) -> Result<Document, NetworkError> {
        self.last_id += 1;
        let message = message(self.last_id, command).ok_or(NetworkError::TooLarge)?;
        self.send(&message).await.map_err(|error| broken(&error))?;
        let mut header = [0; HEADER];
        self.stream.read_exact(&mut header).await.map_err(|error| broken(&error))?;
        let length = self.length_of_body(&header).ok_or(NetworkError::Protocol)?;
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).await.map_err(|error| broken(&error))?;
        // No checksum and nothing more to come: none of it was asked for.
        let document = body.strip_prefix(&[0; FLAGS_AND_KIND]).ok_or(NetworkError::Protocol)?;
        Document::decode(document).ok_or(NetworkError::Protocol)
    }

    /// Hangs up, which is how a session ends.
    pub(crate) async fn leave(mut self) {
        // What becomes of it changes nothing about the answers.
        let _ = self.stream.shutdown().await;
    }

    async fn send(&mut self, message: &[u8]) -> io::Result<()> {
        self.stream.write_all(message).await?;
        self.stream.flush().await
    }

    fn length_of_body(&self, header: &[u8; HEADER]) -> Option<usize> {
        let mut numbers = header.as_chunks().0.iter().map(|bytes| i32::from_le_bytes(*bytes));
        let length = usize::try_from(numbers.next()?).ok()?;
        let (_id, answered, kind) = (numbers.next()?, numbers.next()?, numbers.next()?);
        let is_reply = answered == self.last_id && kind == OP_MSG && length <= LONGEST;
        length.checked_sub(HEADER).filter(|_| is_reply)
    }
}

fn message(id: i32, command: &Document) -> Option<Vec<u8>> {
    let document = command.encode()?;
    let length = i32::try_from(HEADER + FLAGS_AND_KIND + document.len()).ok()?;
    let mut message: Vec<u8> = [length, id, 0, OP_MSG].into_iter().flat_map(i32::to_le_bytes).collect();
    message.extend([0; FLAGS_AND_KIND]);
    message.extend(document);
    Some(message)
}

fn broken(error: &io::Error) -> NetworkError {
    match error.kind() {
        io::ErrorKind::TimedOut => NetworkError::Timeout,
        _ => NetworkError::Refused,
    }
}
