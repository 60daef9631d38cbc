//! Lines and replies over a stream.

use nora_provider_sdk::{NetworkError, Outcome, Secret, Wire};

use crate::classify::classify;

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
pub(crate) struct Session(pub(crate) Wire);

impl Session {
    /// Sends a line, which is fixed words or Base64 and so holds no end of line, and waits for the reply.
    pub(crate) async fn say(&mut self, line: &str) -> Result<Reply, NetworkError> {
        let line = Secret::new([line, "\r\n"].concat());
        self.0.send(line.expose().as_bytes()).await?;
        self.listen().await
    }

    /// Says a line that must be answered with `code`.
    pub(crate) async fn expect(&mut self, line: &str, code: u16) -> Result<Reply, Box<Outcome>> {
        self.say(line).await?.of(code)
    }

    /// Waits for a reply.
    pub(crate) async fn listen(&mut self) -> Result<Reply, NetworkError> {
        let mut reply: Option<Reply> = None;
        for _ in 0..MOST_LINES {
            let line = self.0.line(LONGEST_LINE).await?;
            let (code, is_last, text) = parse(line.trim_end()).ok_or(NetworkError::Protocol)?;
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

    /// Says goodbye and hangs up.
    pub(crate) async fn leave(mut self) {
        // What becomes of it changes nothing about the answers.
        let _ = self.say("QUIT").await;
        self.0.leave().await;
    }
}

impl Reply {
    /// The reply, if it has this code.
    pub(crate) fn of(self, code: u16) -> Result<Self, Box<Outcome>> {
        if self.code == code { Ok(self) } else { Err(classify(self.code).into()) }
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
