//! `OP_MSG` over a stream: one command, one reply.

use bson::{RawDocument, RawDocumentBuf};
use nora_provider_sdk::{NetworkError, Wire};

const OP_MSG: i32 = 2013;

/// After the header: flags, and the kind of the only section.
const FLAGS_AND_KIND: usize = 5;

/// Four numbers (the length of all, the message's id, the id of what it answers, and the kind), flags and kind.
const BEFORE_DOCUMENT: usize = 16 + FLAGS_AND_KIND;

/// No reply that is asked for is longer than a few thousand bytes.
const LONGEST: usize = 64 * 1024;

/// A conversation.
pub(crate) struct Session {
    wire: Wire,
    last_id: i32,
}

impl Session {
    pub(crate) fn new(wire: Wire) -> Self {
        Self { wire, last_id: 0 }
    }

    /// Sends a command and waits for the reply.
    pub(crate) async fn ask(&mut self, command: &RawDocument) -> Result<RawDocumentBuf, NetworkError> {
        self.last_id += 1;
        let message = message(self.last_id, command).ok_or(NetworkError::TooLarge)?;
        self.wire.send(&message).await?;
        let header = [self.number().await?, self.number().await?, self.number().await?, self.number().await?];
        let length = self.length_of_document(header).ok_or(NetworkError::Protocol)?;
        // No checksum and nothing more to come: none of it was asked for.
        if self.wire.array().await? != [0; FLAGS_AND_KIND] {
            return Err(NetworkError::Protocol);
        }
        RawDocumentBuf::from_bytes(self.wire.bytes(length).await?).map_err(|_| NetworkError::Protocol)
    }

    /// Hangs up, which is how a session ends.
    pub(crate) async fn leave(self) {
        self.wire.leave().await;
    }

    async fn number(&mut self) -> Result<i32, NetworkError> {
        self.wire.array().await.map(i32::from_le_bytes)
    }

    fn length_of_document(&self, [length, _id, answered, kind]: [i32; 4]) -> Option<usize> {
        let length = usize::try_from(length).ok()?;
        let is_reply = answered == self.last_id && kind == OP_MSG && length <= LONGEST;
        length.checked_sub(BEFORE_DOCUMENT).filter(|_| is_reply)
    }
}

fn message(id: i32, command: &RawDocument) -> Option<Vec<u8>> {
    let length = i32::try_from(BEFORE_DOCUMENT + command.as_bytes().len()).ok()?;
    let header: Vec<u8> = [length, id, 0, OP_MSG].into_iter().flat_map(i32::to_le_bytes).collect();
    Some([&header[..], &[0; FLAGS_AND_KIND], command.as_bytes()].concat())
}

/// A whole number of any width that fits.
pub(crate) fn number(document: &RawDocument, name: &str) -> Option<i32> {
    let value = document.get(name).ok()??;
    value.as_i32().or_else(|| value.as_i64()?.try_into().ok())
}
